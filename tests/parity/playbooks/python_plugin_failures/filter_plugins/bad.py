class FilterModule:
    def filters(self):
        raise TypeError('this can not be loaded')
