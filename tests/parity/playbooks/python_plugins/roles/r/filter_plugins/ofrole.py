class FilterModule:
    def filters(self):
        return {'of_role': lambda value: value + ' by role'}
