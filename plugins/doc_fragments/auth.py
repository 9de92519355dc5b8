# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection options, with the names, aliases and environment variables of kubernetes.core."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of all modules that connect to a cluster."""

    DOCUMENTATION = r"""
attributes:
  action_group:
    description: Use C(group/meshops.istio.all) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - meshops.istio.all
options:
  kubeconfig:
    description:
      - Path of the kubeconfig, or its content as a dictionary or as YAML or JSON text. Several paths are separated as
        in E(KUBECONFIG).
      - On a local connection, a relative path is searched for in the same way as V(src) of M(ansible.builtin.copy),
        then in the current directory.
      - "Default: if O(host) is not set either, E(KUBECONFIG) or C(~/.kube/config), or the service account of the pod
        that the module runs in."
      - Can also be set with the environment variable E(K8S_AUTH_KUBECONFIG).
    type: raw
  context:
    description:
      - "Context of the kubeconfig. Default: the current context."
      - Can also be set with the environment variable E(K8S_AUTH_CONTEXT).
    type: str
  host:
    description:
      - URL of the API server, for example V(https://10.0.0.1:6443).
      - Can also be set with the environment variable E(K8S_AUTH_HOST).
    type: str
  api_key:
    description:
      - Bearer token for authentication.
      - Can also be set with the environment variable E(K8S_AUTH_API_KEY).
    type: str
  username:
    description:
      - User name for HTTP basic authentication.
      - Can also be set with the environment variable E(K8S_AUTH_USERNAME).
    type: str
  password:
    description:
      - Password for HTTP basic authentication.
      - Can also be set with the environment variable E(K8S_AUTH_PASSWORD).
    type: str
  client_cert:
    description:
      - Path of the client certificate for authentication.
      - Can also be set with the environment variables E(K8S_AUTH_CERT_FILE) or E(K8S_AUTH_CLIENT_CERT).
    type: path
    aliases: [cert_file]
  client_key:
    description:
      - Path of the private key of the client certificate.
      - Can also be set with the environment variables E(K8S_AUTH_KEY_FILE) or E(K8S_AUTH_CLIENT_KEY).
    type: path
    aliases: [key_file]
  ca_cert:
    description:
      - Path of the CA certificates to verify the API server's certificate with. The file must contain the full chain.
      - Can also be set with the environment variables E(K8S_AUTH_SSL_CA_CERT) or E(K8S_AUTH_CA_CERT).
    type: path
    aliases: [ssl_ca_cert]
  validate_certs:
    description:
      - "Verify the certificate of the API server. Default: the setting of the kubeconfig, or V(true)."
      - Can also be set with the environment variables E(K8S_AUTH_VERIFY_SSL) or E(K8S_AUTH_VALIDATE_CERTS).
    type: bool
    aliases: [verify_ssl]
  proxy:
    description:
      - URL of an HTTP proxy for connections to the API server.
      - Can also be set with the environment variable E(K8S_AUTH_PROXY).
    type: str
  no_proxy:
    description:
      - Hosts, domains, addresses and networks to connect to without the proxy, separated by commas.
      - Can also be set with the environment variable E(K8S_AUTH_NO_PROXY).
    type: str
  proxy_headers:
    description:
      - Headers for the HTTP proxy.
    type: dict
    suboptions:
      proxy_basic_auth:
        description:
          - User name and password for the proxy, separated by a colon.
          - Can also be set with the environment variable E(K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH).
        type: str
      basic_auth:
        description:
          - User name and password for basic authentication, separated by a colon.
          - Can also be set with the environment variable E(K8S_AUTH_PROXY_HEADERS_BASIC_AUTH).
        type: str
      user_agent:
        description:
          - The C(User-Agent) header for the proxy.
          - Can also be set with the environment variable E(K8S_AUTH_PROXY_HEADERS_USER_AGENT).
        type: str
  persist_config:
    description:
      - Save tokens that the Kubernetes client refreshes in the kubeconfig.
      - Can also be set with the environment variable E(K8S_AUTH_PERSIST_CONFIG).
    type: bool
  impersonate_user:
    description:
      - User to impersonate.
      - Can also be set with the environment variable E(K8S_AUTH_IMPERSONATE_USER).
    type: str
  impersonate_groups:
    description:
      - Groups to impersonate.
      - Can also be set with the environment variable E(K8S_AUTH_IMPERSONATE_GROUPS), separated by commas.
    type: list
    elements: str
  expected_cluster:
    description:
      - Identity of the cluster, as returned by M(meshops.istio.connection_info). If the connection leads to any other
        cluster, the module fails with the code V(other_cluster) before it does anything else.
      - This needs one additional read, of the Namespace C(kube-system).
    type: dict
    suboptions:
      uid:
        description:
          - UID of the Namespace C(kube-system).
        type: str
      server:
        description:
          - URL of the API server, for example V(https://10.0.0.1:6443).
        type: str
      certificate_authority:
        description:
          - SHA-256 checksum of the CA certificates of the API server. Compared only if O(expected_cluster.server) is
            set and O(expected_cluster.uid) is not.
        type: str
      context:
        description:
          - Context of the kubeconfig. Used in error messages only.
        type: str
requirements:
  - python >= 3.11
  - kubernetes >= 29.0 (Python package)
  - PyYAML >= 6.0
"""
