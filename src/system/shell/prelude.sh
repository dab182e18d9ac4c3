# Serves the commands that come on standard input, one a line; `session.rs` says what they answer.
# `_rg_h` is the sign of life, `_rg_m` the marker of the first answer, `_rg_g` says whether to give
# signs of life. All of it is read before anything runs.
{
exec 8<&0 9>&1 </dev/null >/dev/null 2>&1
_rg_l=${LC_ALL-} _rg_L=${LC_ALL+x} _rg_u=$(umask) _rg_P=${PWD-} _rg_O=${OLDPWD-} _rg_Q=${OLDPWD+x}
cat /proc/self/environ 8<&- >&9
LC_ALL=C; export LC_ALL
umask 077; set -C
_rg_x=
for _rg_c in cat chmod chown date env head id ln mkdir mv readlink rm rmdir sleep stat touch wc; do
  command -v "$_rg_c" >/dev/null || _rg_x="$_rg_x $_rg_c"
done
[ -r /proc/self/stat ] || _rg_x="$_rg_x /proc"
# Where commands' output is kept while they run; its files lose their names at once.
_rg_d=
for _rg_c in "${TMPDIR:-/tmp}" /tmp /dev/shm /var/tmp /run "${HOME:-/}"; do
  if [ -d "$_rg_c" ] && true >"$_rg_c/.regrole-$_rg_m"; then
    rm -f "$_rg_c/.regrole-$_rg_m"; _rg_d=$_rg_c; break
  fi
done
_rg_e=$(command -v env) _rg_s=$(command -v setsid)
_rg_f='%f %u %g %s %h %i %d %t %T %b %o %X %Y %Z'
case $(stat -c %.9Y /) in *.?????????) _rg_f='%f %u %g %s %h %i %d %t %T %b %o %.9X %.9Y %.9Z' ;; esac
case $_rg_x in *' stat'*) ;; *) stat -c "$_rg_f" / >/dev/null || _rg_x="$_rg_x stat-with--c" ;; esac
# Takes so many bytes from standard input and not one more of what follows.
if [ "$(printf ab | head -c 1)" = a ]; then _rg_n() { head -c "$1"; }
else _rg_n() { dd bs=1 count="$1" 2>/dev/null; }; fi
_rg_now() { date '+%Y-%m-%d %H:%M:%S %N'; }
# Ends an answer: marker, status, what was said, marker.
_rg_z() { printf '%s%s %s%s' "$_rg_m" "$1" "$_rg_e1" "$_rg_m" >&9; }
_rg_no() { printf ': %s\n' "$1" >&2; return 1; }
_rg_new() { if [ -e "$1" ] || [ -L "$1" ]; then _rg_no 'File exists'; fi; }
_rg_old() { [ -e "$1" ] || [ -L "$1" ] || stat -- "$1" >/dev/null; }
_rg_dir() { [ -d "$1" ] && [ ! -L "$1" ]; }
# Runs something whose output is the answer: MARKER COMMAND…
_rg_p() { _rg_m=$1; shift; _rg_e1=$( { "$@" </dev/null >&9 8<&- 9>&-; } 2>&1); _rg_z $?; }
_rg_rm() { _rg_old "$1" && if _rg_dir "$1"; then _rg_no 'Is a directory'; else rm -f -- "$1"; fi; }
_rg_rmr() { _rg_old "$1" && rm -rf -- "$1"; }
_rg_mkdir() { (umask "$_rg_u" && mkdir ${2:+-m "$2"} -- "$1"); }
_rg_ln() { _rg_new "$2" && ln -s -- "$1" "$2"; }
_rg_lnh() {
  _rg_new "$2" && _rg_old "$1" || return
  _rg_a=$(readlink -n -f -- "$1" && echo x) && _rg_a=${_rg_a%x} || return
  if [ -d "$_rg_a" ]; then _rg_no 'Operation not permitted'; else ln -- "$_rg_a" "$2"; fi
}
# Without -T, a link to a directory would not be replaced; busybox refuses that even with it.
_rg_mv() {
  if _rg_dir "$2"; then _rg_no 'Is a directory'
  elif [ -d "$2" ]; then mv -f -T -- "$1" "$2" 2>/dev/null || { rm -f -- "$2" && mv -f -- "$1" "$2"; }
  else mv -f -- "$1" "$2"; fi
}
_rg_sync() { sync "$1" 2>/dev/null || sync 2>/dev/null || :; }
_rg_touch() { _rg_old "$1" && _rg_a=$1 && shift && touch -c "$@" -- "$_rg_a"; }
# The hash of a file behind `=`, or nothing where the host has no such program: PROGRAM FILE
_rg_sum() {
  if [ ! -f "$2" ] || [ ! -r "$2" ]; then cat -- "$2" >/dev/null
  elif command -v "$1" >/dev/null; then printf =; "$1" <"$2"; fi
}
# What a path is: status and fields of lstat, of stat for a link, what may be done, a link's target.
_rg_q() {
  _rg_m=$1; _rg_e1=$(stat -c "$_rg_f" -- "$2" 2>&1); printf '%s %s\n' $? "${_rg_e1##*: }" >&9
  if [ -L "$2" ]; then _rg_e1=$(stat -L -c "$_rg_f" -- "$2" 2>&1); printf '%s %s\n' $? "${_rg_e1##*: }" >&9
  else echo = >&9; fi
  _rg_a=; [ -r "$2" ] && _rg_a=r; [ -w "$2" ] && _rg_a=${_rg_a}w; [ -x "$2" ] && _rg_a=${_rg_a}x
  printf '%s\n' "$_rg_a" >&9
  if [ -L "$2" ]; then readlink -n -- "$2" >&9; fi
  _rg_e1=; _rg_z 0
}
# The names in a directory, each with a zero byte behind it.
_rg_ls() {
  _rg_m=$1 _rg_e1=
  if [ -d "$2" ] && [ -r "$2" ]; then
    for _rg_a in "$2"/* "$2"/.[!.]* "$2"/..?*; do
      case $_rg_a in "$2/*" | "$2/.[!.]*" | "$2/..?*") [ -e "$_rg_a" ] || [ -L "$_rg_a" ] || continue ;; esac
      printf '%s\0' "${_rg_a##*/}" >&9
    done
    _rg_z 0
  else
    _rg_e1=$(ls -- "$2/." 2>&1 >/dev/null 9>&-); _rg_z 2
  fi
}
# Puts so many bytes of standard input into a new file; all of them are read, whatever happens.
_rg_take() { # LENGTH FILE
  _rg_n "$1" | { (cat >"$2"); _rg_a=$?; cat >/dev/null; exit $_rg_a; } &&
  if [ "$(wc -c <"$2")" -ne "$1" ]; then _rg_no 'Input/output error'; fi
}
# Replaces a file: MARKER DIRECTORY TEMPORARY PATH LENGTH MODE OWNER
_rg_w() {
  _rg_m=$1 _rg_t=$3
  _rg_e1=$( {
    _rg_take "$5" "$3" && { [ -z "$7" ] || chown -- "$7" "$3"; } && chmod -- "$6" "$3" &&
    _rg_sync "$3" && _rg_mv "$3" "$4"
  } 2>&1 <&8 8<&- 9>&-); _rg_a=$?
  if [ $_rg_a -eq 0 ]; then _rg_sync "$2"; else rm -f -- "$3"; fi
  _rg_t=; _rg_z $_rg_a
}
# Writes into a file that exists: MARKER PATH LENGTH
_rg_i() {
  _rg_m=$1
  _rg_e1=$( { _rg_n "$3" | { { _rg_old "$2" && cat >|"$2"; }; _rg_a=$?; cat >/dev/null; exit $_rg_a; } && _rg_sync "$2"; } 2>&1 <&8 8<&- 9>&-)
  _rg_z $?
}
# Ends a process and all that descends from it, except the asking one.
_rg_kill() {
  [ "$1" = "$_rg_me" ] && return
  set -- "$1" $(cat "/proc/$1/task/"*/children 2>/dev/null)
  kill -9 "$1" 2>/dev/null; shift
  for _rg_a; do _rg_kill "$_rg_a"; done
}
# Ends the running command, and what is left of its group, when a line or the end of the input
# comes.
_rg_r() {
  IFS= read -r _rg_a; read -r _rg_me _rg_a </proc/self/stat
  read -r _rg_p </proc/self/fd/7; [ -z "$_rg_s" ] || [ -z "$_rg_p" ] || kill -9 -"$_rg_p"
  for _rg_c in $(cat "/proc/$_rg_k/task/"*/children); do _rg_kill "$_rg_c"; done
}
_rg_sizes() { stat -L -c %s /proc/self/fd/3 /proc/self/fd/5; }
# Runs the command that is in the function `_rg_c`: MARKER LENGTH-OF-INPUT
_rg_x() {
  _rg_m=$1 _rg_e1= _rg_o= _rg_t=$_rg_d/.regrole-$1 _rg_i=/dev/null
  if [ "$2" -gt 0 ]; then
    _rg_i=$_rg_t.i; _rg_e1=$(_rg_take "$2" "$_rg_i" 2>&1 <&8 8<&- 9>&-) ||
      { _rg_a=$?; rm -f "$_rg_i"; printf '%s%s' "$_rg_m" >&9; _rg_z $_rg_a; return; }
  fi
  {
    _rg_o=1; rm -f "$_rg_t".[oeki]
    # The command's number goes into 7, and the word that shells say about what a signal has ended;
    # they do so only where they wait for it like this.
    { (read -r _rg_p _rg_a </proc/self/stat; echo "$_rg_p" >&7; _rg_c 7>&-) <&4 >&3 2>&5 3>&- 4<&- 5>&-; exit $?; } 2>&7 8<&- 9>&- & _rg_k=$!
    _rg_r <&8 3>&- 4<&- 5>&- 9>&- & _rg_y=$!
    wait $_rg_k; _rg_a=$?
    _rg_p= _rg_j=; { read -r _rg_p; read -r _rg_j; } </proc/self/fd/7
    set -- $(_rg_sizes 8<&- 9>&-)
    # What goes on in the background may still write, as long as it does so at least once a second.
    while [ -n "$_rg_s" ] && kill -0 -"$_rg_p"; do
      sleep 1 8<&- 9>&-; _rg_b=$*; set -- $(_rg_sizes 8<&- 9>&-); [ "$_rg_b" != "$*" ] || break
    done
    # A shell that has just been forked still has the handlers of this one, and loses other signals.
    kill -9 $_rg_y; wait $_rg_y
    _rg_n "$1" </proc/self/fd/3 >&9; printf %s "$_rg_m" >&9
    _rg_n "$2" </proc/self/fd/5 >&9; _rg_e1="${_rg_j:+1} $(_rg_now)"
  } 3>"$_rg_t.o" 4<"$_rg_i" 5>"$_rg_t.e" 7>"$_rg_t.k"
  if [ -z "$_rg_o" ]; then rm -f "$_rg_t".[oeki]; printf %s "$_rg_m" >&9; _rg_a=x; fi
  _rg_t=; _rg_z $_rg_a
}
# Runs a program that talks for itself until it ends; what was meant for it and not read is passed
# over: MARKER COMMAND…
_rg_a() {
  _rg_m=$1 _rg_e1=; shift; (umask "$_rg_u"; exec "$@") <&8 >&9 2>&9 8<&- 9>&-; _rg_z $?
  while IFS= read -r _rg_a <&8; do [ "$_rg_a" = "$_rg_m" ] && break; done
}
# Says that the host is alive; when nobody hears it any more, ends what runs.
_rg_b() {
  trap 'kill $!; exit' TERM; trap '' PIPE HUP
  while :; do
    sleep 5 9>&- & wait $!
    kill -0 $$ || exit
    printf %s "$_rg_h" >&9 || { read -r _rg_me _rg_a </proc/self/stat; _rg_kill $$; exit; }
  done
}
_rg_y=; [ -z "$_rg_g" ] || { _rg_b 8<&- & _rg_y=$!; }
_rg_hb=$_rg_y
trap '[ -z "$_rg_t" ] || rm -f "$_rg_t" "$_rg_t".?; [ -z "$_rg_hb" ] || kill $_rg_hb; exit 1' HUP INT TERM
_rg_e1= _rg_t=
printf '%s%s\n%s\n%s\n%s\n%s\n%s\n%s\n' "$_rg_m" "$_rg_x" "$_rg_d" "$(id -u)" "$(id -g)" "$(id -G)" "$_rg_u" "$(_rg_now)" >&9
pwd >&9
_rg_z 0
while IFS= read -r _rg_q <&8; do eval "$_rg_q"; done
[ -z "$_rg_hb" ] || kill $_rg_hb
exit 0
}
