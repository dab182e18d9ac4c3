#!/usr/bin/python
# Stands in for the kube module where real Ansible runs the role: applies one file.
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule(argument_spec=dict(
    name=dict(), namespace=dict(), resource=dict(), kubectl=dict(), filename=dict(), state=dict()))
rc, out, err = module.run_command([
    module.params['kubectl'], '--namespace=' + module.params['namespace'],
    'apply', '--filename=' + module.params['filename']])
if rc != 0:
    module.fail_json(msg=err)
module.exit_json(changed=False, msg=out)
