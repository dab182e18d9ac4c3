from ansible.errors import AnsibleError


class TestModule:
    def tests(self):
        return {'exact': lambda value: value == 'exact'}
