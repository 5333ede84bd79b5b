"""Turns a template in canonical JSON into one that an older version may have been: always the same way, one mutation
after the other in turn. Each gives a valid template."""

import copy


def drop_last_step(template):
    """A step that came."""
    if len(template["steps"]) > 1:
        gone = template["steps"].pop()["name"]
        for environment in template.get("environments", {}).values():
            environment["steps"] = [step for step in environment.get("steps", []) if step["name"] != gone]


def add_step(template):
    """A step that went."""
    template["steps"].append({"name": "former_step", "handler": {"callable": "Former::Step"}})


def rename_first_step(template):
    """A step that got another name."""
    old, new = template["steps"][0]["name"], "former_name"
    template["steps"][0]["name"] = new
    for step in template["steps"]:
        step["dependencies"] = [new if name == old else name for name in step.get("dependencies", [])]
    for environment in template.get("environments", {}).values():
        for step in environment.get("steps", []):
            step["name"] = new if step["name"] == old else step["name"]


def other_callable(template):
    template["steps"][-1]["handler"]["callable"] = "Former::Handler"


def other_initialization(template):
    template["steps"][0]["handler"].setdefault("initialization", {})["former_setting"] = 1


def open_input(template):
    """Without a schema every input was accepted."""
    if template.pop("input_schema", None) is None:
        template["input_schema"] = {"type": "object", "required": ["former_field"]}


def narrow_input(template):
    """Less was accepted."""
    schema = template.setdefault("input_schema", {"type": "object"})
    schema["required"] = sorted({*schema.get("required", []), "former_field"})


def fewer_retries(template):
    template["steps"][0]["retry"]["limit"] = 1


def never_retried(template):
    template["steps"][0]["retry"]["retryable"] = False


def other_timeout(template):
    template["steps"][0]["timeout_seconds"] = 7


def more_dependencies(template):
    """A dependency that went, and is not implied."""
    if len(template["steps"]) > 1:
        last = template["steps"][-1]
        first = template["steps"][0]["name"]
        last["dependencies"] = [] if last.get("dependencies") else [first]


def other_system(template):
    template["system_dependencies"]["primary"] = "former_system"


def former_event(template):
    template["domain_events"] = [*template.get("domain_events", []), {"name": "former.event"}]


def former_environment(template):
    template.setdefault("environments", {})["former"] = {"steps": [{"name": "ALL", "timeout_seconds": 9}]}


def other_description(template):
    template["description"] = "As it was."


def former_result(template):
    template["steps"][0]["result_schema"] = {"type": "object", "required": ["former_field"]}


MUTATIONS = [
    other_description, drop_last_step, other_callable, narrow_input, fewer_retries, add_step, other_timeout, open_input,
    rename_first_step, other_initialization, never_retried, more_dependencies, other_system, former_event,
    former_environment, former_result,
]  # fmt: skip


def mutated(template, index, version):
    """The older version of the index-th template: two mutations that stand side by side."""
    template = copy.deepcopy(template)
    template["version"] = version
    MUTATIONS[index % len(MUTATIONS)](template)
    MUTATIONS[(index + 1) % len(MUTATIONS)](template)
    return template
