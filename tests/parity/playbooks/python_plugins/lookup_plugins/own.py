from ansible.plugins.lookup import LookupBase


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        if kwargs.get('find'):
            return [self.find_file_in_search_path(variables, 'files', terms[0]).split('/')[-2]]
        return [[term, variables['fruit'], sorted(kwargs)] for term in terms]
