"""Models as untrusted bytes: fetched through carriers, checked against the publisher's hash, converted once, stored."""

from index.weights.catalog import CATALOG, ModelSpec, Role
from index.weights.store import (
    ModelStatus,
    StoredModel,
    ensure_model,
    fetch_model,
    fingerprint_file,
    list_models,
    remove_model,
    verify_model,
)

__all__ = [
    "CATALOG",
    "ModelSpec",
    "ModelStatus",
    "Role",
    "StoredModel",
    "ensure_model",
    "fetch_model",
    "fingerprint_file",
    "list_models",
    "remove_model",
    "verify_model",
]
