#!/usr/bin/env bash
# Removes the resource groups that this collection made for runs of CI which are over: those with the tag meshops-istio
# whose tag ci-until (seconds since 1970) is past. With --dry-run it only names them. Needs the Azure CLI, logged in.
set -euo pipefail
now=$(date +%s)
query='[?tags."meshops-istio" && tags."ci-until"].[name, tags."ci-until"]'

az group list --query "$query" --output tsv | while read -r name until; do
    if [[ ! $until =~ ^[0-9]+$ ]] || ((until > now)); then
        continue
    fi
    echo "$name is over since $(((now - until) / 60)) minutes"
    if [[ ${1:-} != --dry-run ]]; then
        az group delete --name "$name" --yes --no-wait </dev/null
    fi
done
