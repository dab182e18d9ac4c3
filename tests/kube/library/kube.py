"""A `kube` module for Ansible, so that roles/registry can run side by side with regrole's own.

Only what that role uses: applies files with kubectl, and is `changed` where kubectl made or
configured something. Kubespray has the module that people use; none of it is here.
"""

from ansible.module_utils.basic import AnsibleModule


def main():
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str"},
            "namespace": {"type": "str"},
            "resource": {"type": "str"},
            "kubectl": {"type": "path", "default": "kubectl"},
            "filename": {"type": "list", "elements": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "latest"], "default": "present"},
        },
    )
    command = [module.params["kubectl"]]
    if module.params["namespace"]:
        command.append("--namespace=" + module.params["namespace"])
    command += ["apply", "--filename=" + ",".join(module.params["filename"])]
    rc, out, err = module.run_command(command)
    if rc != 0:
        module.fail_json(msg=err.strip() or out.strip(), rc=rc, stdout=out, stderr=err)
    lines = out.splitlines()
    changed = any(line.endswith((" created", " configured")) for line in lines)
    module.exit_json(changed=changed, rc=rc, stdout=out, msg="success: " + " ".join(lines))


if __name__ == "__main__":
    main()
