# Copyright (c) 2026 The meshops.istio authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of Kubernetes that this collection reads by name."""

from __future__ import annotations

from .objects import Kind

CLUSTER_ROLE = Kind("rbac.authorization.k8s.io/v1", "ClusterRole")
CONFIG_MAP = Kind("v1", "ConfigMap")
CUSTOM_RESOURCE_DEFINITION = Kind("apiextensions.k8s.io/v1", "CustomResourceDefinition")
DEPLOYMENT = Kind("apps/v1", "Deployment")
ENDPOINT_SLICE = Kind("discovery.k8s.io/v1", "EndpointSlice")
HORIZONTAL_POD_AUTOSCALER = Kind("autoscaling/v2", "HorizontalPodAutoscaler")
LEASE = Kind("coordination.k8s.io/v1", "Lease")
MUTATING_WEBHOOK_CONFIGURATION = Kind("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration")
NAMESPACE = Kind("v1", "Namespace")
NODE = Kind("v1", "Node")
PERSISTENT_VOLUME_CLAIM = Kind("v1", "PersistentVolumeClaim")
POD = Kind("v1", "Pod")
ROLE_BINDING = Kind("rbac.authorization.k8s.io/v1", "RoleBinding")
SECRET = Kind("v1", "Secret")
SERVICE = Kind("v1", "Service")
