# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How to reach the cluster: the options of kubernetes.core, by the same names, aliases and environment variables."""

from __future__ import annotations


class ModuleDocFragment:
    """Options of every module that talks to a cluster."""

    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - The kubeconfig to connect with, as a path (several paths are separated as in E(KUBECONFIG)) or as its content,
        a dictionary or a YAML or JSON text.
      - On a local connection a relative path is looked up as V(src) of M(ansible.builtin.copy) is, and then in the
        current folder.
      - Without it and without O(host) the default kubeconfig is used, and inside a pod its service account.
      - Can also be given as environment variable E(K8S_AUTH_KUBECONFIG).
    type: raw
  context:
    description:
      - The context of the kubeconfig to use instead of its current one.
      - Can also be given as environment variable E(K8S_AUTH_CONTEXT).
    type: str
  host:
    description:
      - The URL of the API server.
      - Can also be given as environment variable E(K8S_AUTH_HOST).
    type: str
  api_key:
    description:
      - The bearer token to authenticate with.
      - Can also be given as environment variable E(K8S_AUTH_API_KEY).
    type: str
  username:
    description:
      - The user of HTTP basic authentication.
      - Can also be given as environment variable E(K8S_AUTH_USERNAME).
    type: str
  password:
    description:
      - The password of HTTP basic authentication.
      - Can also be given as environment variable E(K8S_AUTH_PASSWORD).
    type: str
  client_cert:
    description:
      - Path of the client certificate to authenticate with.
      - Can also be given as environment variable E(K8S_AUTH_CERT_FILE) or E(K8S_AUTH_CLIENT_CERT).
    type: path
    aliases: [cert_file]
  client_key:
    description:
      - Path of the client certificate's key.
      - Can also be given as environment variable E(K8S_AUTH_KEY_FILE) or E(K8S_AUTH_CLIENT_KEY).
    type: path
    aliases: [key_file]
  ca_cert:
    description:
      - Path of the CA certificates that the API server's certificate is checked with, the full chain.
      - Can also be given as environment variable E(K8S_AUTH_SSL_CA_CERT) or E(K8S_AUTH_CA_CERT).
    type: path
    aliases: [ssl_ca_cert]
  validate_certs:
    description:
      - Whether the API server's certificate is checked. The kubeconfig decides where this is not given, else it is.
      - Can also be given as environment variable E(K8S_AUTH_VERIFY_SSL) or E(K8S_AUTH_VALIDATE_CERTS).
    type: bool
    aliases: [verify_ssl]
  proxy:
    description:
      - The URL of an HTTP proxy to reach the API server through.
      - Can also be given as environment variable E(K8S_AUTH_PROXY).
    type: str
  no_proxy:
    description:
      - Hosts, domains, addresses and networks that are reached without the proxy, separated by commas.
      - Can also be given as environment variable E(K8S_AUTH_NO_PROXY).
    type: str
  proxy_headers:
    description:
      - Headers for the HTTP proxy.
    type: dict
    suboptions:
      proxy_basic_auth:
        description:
          - User and password for the proxy, separated by a colon.
          - Can also be given as environment variable E(K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH).
        type: str
      basic_auth:
        description:
          - User and password for basic authentication, separated by a colon.
          - Can also be given as environment variable E(K8S_AUTH_PROXY_HEADERS_BASIC_AUTH).
        type: str
      user_agent:
        description:
          - The user agent to show to the proxy.
          - Can also be given as environment variable E(K8S_AUTH_PROXY_HEADERS_USER_AGENT).
        type: str
  persist_config:
    description:
      - Whether tokens that the Kubernetes client refreshes are saved in the kubeconfig.
      - Can also be given as environment variable E(K8S_AUTH_PERSIST_CONFIG).
    type: bool
  impersonate_user:
    description:
      - The user to act as.
      - Can also be given as environment variable E(K8S_AUTH_IMPERSONATE_USER).
    type: str
  impersonate_groups:
    description:
      - The groups to act as a member of.
      - Can also be given as environment variable E(K8S_AUTH_IMPERSONATE_GROUPS), separated by commas.
    type: list
    elements: str
  expected_cluster:
    description:
      - The cluster that the connection has to lead to, as M(meshops.istio.connection_info) returns it. On any other the
        module fails with the code V(other_cluster) before it does anything else.
      - It takes one more read of the API, of Namespace C(kube-system).
    type: dict
    suboptions:
      uid:
        description:
          - The UID of Namespace C(kube-system).
        type: str
      server:
        description:
          - The URL of the API server.
        type: str
      certificate_authority:
        description:
          - The SHA-256 of the CA certificates that the API server's certificate is checked with. Compared only with
            O(expected_cluster.server) and without O(expected_cluster.uid).
        type: str
      context:
        description:
          - The context of the kubeconfig, for the error message only.
        type: str
requirements:
  - python >= 3.11
  - kubernetes >= 29.0 (Python package)
  - PyYAML >= 6.0
"""
