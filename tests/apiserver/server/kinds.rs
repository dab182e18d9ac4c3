//! The kinds this server knows: one table, from which discovery, routing and `OpenAPI` are made.

/// Describes one resource.
#[allow(
    clippy::struct_field_names,
    reason = "`kind` is what Kubernetes calls it"
)]
pub(crate) struct Kind {
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    pub(crate) plural: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) namespaced: bool,
    pub(crate) short: &'static [&'static str],
    /// Name of the definition in `schema.txt`.
    pub(crate) definition: &'static str,
    /// Whether `metadata.generation` counts changes of the specification.
    pub(crate) generation: bool,
    /// Whether `kubectl get all` shows it.
    pub(crate) in_all: bool,
}

const fn kind(
    (group, version): (&'static str, &'static str),
    (plural, kind): (&'static str, &'static str),
    namespaced: bool,
    short: &'static [&'static str],
    definition: &'static str,
) -> Kind {
    Kind {
        group,
        version,
        plural,
        kind,
        namespaced,
        short,
        definition,
        generation: false,
        in_all: false,
    }
}

const fn workload(mut kind: Kind) -> Kind {
    kind.generation = true;
    kind.in_all = true;
    kind
}

const CORE: (&str, &str) = ("", "v1");
const APPS: (&str, &str) = ("apps", "v1");
const RBAC: (&str, &str) = ("rbac.authorization.k8s.io", "v1");
const NETWORKING: (&str, &str) = ("networking.k8s.io", "v1");
const POLICY: (&str, &str) = ("policy", "v1beta1");

/// Every kind that is served.
#[rustfmt::skip]
pub(crate) static TABLE: &[Kind] = &[
    kind(CORE, ("configmaps", "ConfigMap"), true, &["cm"], "api.core.v1.ConfigMap"),
    kind(CORE, ("events", "Event"), true, &["ev"], "api.core.v1.Event"),
    kind(CORE, ("namespaces", "Namespace"), false, &["ns"], "api.core.v1.Namespace"),
    kind(CORE, ("persistentvolumeclaims", "PersistentVolumeClaim"), true, &["pvc"], "api.core.v1.PersistentVolumeClaim"),
    Kind { in_all: true, ..kind(CORE, ("pods", "Pod"), true, &["po"], "api.core.v1.Pod") },
    kind(CORE, ("secrets", "Secret"), true, &[], "api.core.v1.Secret"),
    kind(CORE, ("serviceaccounts", "ServiceAccount"), true, &["sa"], "api.core.v1.ServiceAccount"),
    Kind { in_all: true, ..kind(CORE, ("services", "Service"), true, &["svc"], "api.core.v1.Service") },
    workload(kind(APPS, ("daemonsets", "DaemonSet"), true, &["ds"], "api.apps.v1.DaemonSet")),
    workload(kind(APPS, ("deployments", "Deployment"), true, &["deploy"], "api.apps.v1.Deployment")),
    workload(kind(APPS, ("replicasets", "ReplicaSet"), true, &["rs"], "api.apps.v1.ReplicaSet")),
    Kind { generation: true, ..kind(NETWORKING, ("ingresses", "Ingress"), true, &["ing"], "api.networking.v1.Ingress") },
    kind(POLICY, ("podsecuritypolicies", "PodSecurityPolicy"), false, &["psp"], "api.policy.v1beta1.PodSecurityPolicy"),
    kind(RBAC, ("clusterrolebindings", "ClusterRoleBinding"), false, &[], "api.rbac.v1.ClusterRoleBinding"),
    kind(RBAC, ("clusterroles", "ClusterRole"), false, &[], "api.rbac.v1.ClusterRole"),
    kind(RBAC, ("rolebindings", "RoleBinding"), true, &[], "api.rbac.v1.RoleBinding"),
    kind(RBAC, ("roles", "Role"), true, &[], "api.rbac.v1.Role"),
];

impl Kind {
    /// Returns the `apiVersion`: `v1` or `apps/v1`.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Returns the path of the group version: `/api/v1` or `/apis/apps/v1`.
    pub(crate) fn base_path(&self) -> String {
        if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        }
    }

    /// Returns the resource with its group, as messages name it: `pods`, `replicasets.apps`.
    pub(crate) fn qualified(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_owned()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// Returns the kind with its group, as validation messages name it: `Service`, `ReplicaSet.apps`.
    pub(crate) fn qualified_kind(&self) -> String {
        if self.group.is_empty() {
            self.kind.to_owned()
        } else {
            format!("{}.{}", self.kind, self.group)
        }
    }
}

/// Finds a resource by its group, version and plural name.
pub(crate) fn find(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    TABLE
        .iter()
        .find(|kind| kind.group == group && kind.version == version && kind.plural == plural)
}

/// Lists the group versions in the table's order, each once.
pub(crate) fn group_versions() -> Vec<(&'static str, &'static str)> {
    let mut all: Vec<_> = TABLE
        .iter()
        .map(|kind| (kind.group, kind.version))
        .collect();
    all.dedup();
    all
}
