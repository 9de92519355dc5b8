# Installs Ansible and the collection, and writes the kubeconfig to a file that only this user can read. Source it, so that
# KUBECONFIG is set afterwards: . ./prepare.sh
set -eu
pip install "ansible-core>=2.17"
ansible-galaxy collection install --requirements-file requirements.yml
pip install --requirement "$HOME/.ansible/collections/ansible_collections/meshops/istio/requirements.txt"
KUBECONFIG=$(mktemp)
export KUBECONFIG
printenv KUBECONFIG_CONTENT >"$KUBECONFIG"
if [ -n "${GITHUB_ENV:-}" ]; then echo "KUBECONFIG=$KUBECONFIG" >>"$GITHUB_ENV"; fi
