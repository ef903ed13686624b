"""The models of the store, as text for people and records for programs."""

from dataclasses import asdict
from typing import Any

from edge_runtime.errors import ModelError
from edge_runtime.inference import model_file
from edge_runtime.inference.model_file import ModelFile
from edge_runtime.store.catalog import SHIPS, Stored


def lines(stored: list[Stored]) -> list[str]:
    """Return a line for each model; a star marks the current one."""
    rows = [
        ("*" if one.current else " ", one.entry.id, one.entry.installed_at or "", state(one), _source(one))
        for one in stored
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def record(one: Stored) -> dict[str, Any]:
    """Return what the store holds about a model, for programs."""
    return {**asdict(one.entry), "path": str(one.path), "current": one.current, "shipped": one.ships}


def details(one: Stored) -> list[str]:
    """Return the details of a model, a line each. Raises ModelError if its file is damaged."""
    model = _whole(one)
    card = model.card or {}
    rows: list[tuple[str, object]] = [
        ("id", one.entry.id),
        ("file", one.path),
        ("state", state(one)),
        ("reads", "yes" if one.current else "no"),
        ("sha256", model.sha256),
        ("contract", card.get("contract")),
        ("labels", " ".join(model.labels)),
        ("recipe", _part(_part(card, "training"), "recipe").get("name")),
        ("accuracy", _part(card, "measured").get("accuracy")),
        ("commit", card.get("commit")),
    ]
    if not one.ships:
        rows += [
            ("installed", one.entry.installed_at),
            ("source", one.entry.source),
            ("signed", "by a trusted key" if one.entry.signed else "no"),
        ]
    return [f"{name:<10} {value}" for name, value in rows if value is not None]


def whole_record(one: Stored) -> dict[str, Any]:
    """Return the details for programs, with the whole card. Raises ModelError if the model's file is damaged."""
    model = _whole(one)
    return {**record(one), "sha256": model.sha256, "labels": list(model.labels), "card": model.card}


def summary(card: dict[str, Any]) -> str:
    """Return what a card says of its model's training, as a sentence of at most 255 characters (Home Assistant's)."""
    recipe = _part(_part(card, "training"), "recipe").get("name")
    accuracy, commit = _part(card, "measured").get("accuracy"), card.get("commit")
    facts = [
        f"recipe {recipe}" if recipe else "",
        f"{accuracy} % of the test digits" if accuracy else "",
        f"commit {str(commit)[:12]}" if commit else "",
    ]
    return ", ".join(filter(None, facts))[:255]


def state(one: Stored) -> str:
    """Return a model's state, in a word or two."""
    if one.ships:
        return SHIPS
    if one.entry.failed is not None:
        return f"failed: {one.entry.failed}"
    return "trial passed" if one.entry.proved else "on trial"


def _whole(one: Stored) -> ModelFile:
    model = model_file.read(one.path)
    if not one.ships and not model.sha256.startswith(one.entry.id):
        raise ModelError(f"{one.path} does not match its name; install the model again")
    return model


def _source(one: Stored) -> str:
    return (one.entry.source or "") + " (signed)" * one.entry.signed


def _part(card: dict[str, Any], name: str) -> dict[str, Any]:
    part = card.get(name)
    return part if isinstance(part, dict) else {}
