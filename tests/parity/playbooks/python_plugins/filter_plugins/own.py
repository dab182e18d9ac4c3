from ansible.errors import AnsibleFilterError

try:
    from jinja2 import pass_context
except ImportError:
    from jinja2 import contextfilter as pass_context


def told(value):
    raise AnsibleFilterError('it can not be done')


def caused(value):
    try:
        raise KeyError('inner')
    except KeyError as error:
        raise AnsibleFilterError('outer') from error


@pass_context
def seen(context, value):
    return [value, context['fruit'], context.resolve('fruit')]


class FilterModule:
    def filters(self):
        return {
            'typed': lambda value: [type(item).__name__.replace('_AnsibleTagged', '').replace('_AnsibleLazyTemplate', '').lower().replace('ansibleunicode', 'str') for item in value],
            'same': lambda value, **more: [value, more],
            'told': told,
            'caused': caused,
            'seen': seen,
            'items_of': lambda value: (item for item in value),
            'number_keys': lambda value: {1: value, None: 2},
            'upper': lambda value: 'own upper of ' + value,
            'storm': lambda value: [1, 1.5, None, True, 10 ** 30, u'\u00e9', (1, 2), {'a': []}],
        }
