"""Profiles as claims: where they are found, how they extend each other, what they cannot say."""

import sys
from ipaddress import ip_network
from pathlib import Path
from subprocess import run

import pytest

from egress_audit.addresses import Scope
from egress_audit.errors import ExitCode, ProfileInvalid, WrongUsage
from egress_audit.judge.profile import MAX_CHAIN, load_profile, profile_names, read_profile
from egress_audit.model.catalogue import Entry, Purpose
from egress_audit.model.claim import Allow, AppliesTo, Claim, Deny, Question, Require
from egress_audit.model.profile import ProfileKind, Setting
from egress_audit.yaml_tree import MAX_BYTES

SECOND_NS = 1_000_000_000

LEAST = "name: least\nstatement: It stays.\nallow: {scopes: [loopback]}\n"

EVERY_KEY = """
name: deepseek-r1-local
statement: "When downloaded and run locally, it needs no connection."
source: a page, its title and date
applies_to: {models: [DeepSeek-R1], runtimes: [ollama, llama.cpp]}
scope: process-tree
allow:
  scopes: [loopback, lan]
  endpoints: [example-update, "vendor: Example"]
  hosts: ["*.example.org"]
  prefixes: [192.0.2.0/24]
  located: [DE, FR]
  controlled: [DE]
  operators: [Hetzner]
deny:
  located: [CN]
  controlled: [CN, RU]
  categories: [state-telecom]
  operators: [Tencent]
  hosts: [bad.example.org]
  prefixes: ["2001:db8::/32"]
  purposes: [telemetry]
inbound: deny
require: {whole_run: false, probes: false, phases: [load], observe: 5m, lists_max_age: 30d}
holds_means: this
holds_does_not_mean: that
questions:
  - {ask: "Where does it go?", answer_by: located}
  - {ask: "How long is it kept?", answer_by: cannot, text: Ask the operator.}
"""


def written(folder: Path, text: str, name: str = "p.yaml") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


def refusal(path: str) -> str:
    with pytest.raises(ProfileInvalid) as caught:
        load_profile(path)
    return str(caught.value)


def test_every_key_of_a_profile_reaches_the_claim(tmp_path: Path) -> None:
    assert load_profile(written(tmp_path, EVERY_KEY)) == Claim(
        name="deepseek-r1-local",
        statement="When downloaded and run locally, it needs no connection.",
        source="a page, its title and date",
        applies_to=AppliesTo(models=("DeepSeek-R1",), runtimes=("ollama", "llama.cpp")),
        scope="process-tree",
        allow=Allow(
            scopes=frozenset({Scope.LOOPBACK, Scope.LAN}),
            hosts=("*.example.org",),
            prefixes=(ip_network("192.0.2.0/24"),),
            endpoints=("example-update", "vendor:Example"),
            located=frozenset({"DE", "FR"}),
            controlled=frozenset({"DE"}),
            operators=frozenset({"Hetzner"}),
        ),
        deny=Deny(
            located=frozenset({"CN"}),
            controlled=frozenset({"CN", "RU"}),
            categories=frozenset({"state-telecom"}),
            operators=frozenset({"Tencent"}),
            hosts=("bad.example.org",),
            prefixes=(ip_network("2001:db8::/32"),),
            purposes=frozenset({Purpose.TELEMETRY}),
        ),
        inbound="deny",
        require=Require(
            whole_run=False,
            probes=False,
            phases=("load",),
            observe_ns=300 * SECOND_NS,
            lists_max_age_ns=30 * 86_400 * SECOND_NS,
        ),
        holds_means="this",
        holds_does_not_mean="that",
        questions=(
            Question("Where does it go?", "located"),
            Question("How long is it kept?", "cannot", "Ask the operator."),
        ),
    )


def test_what_a_profile_leaves_out_keeps_its_default(tmp_path: Path) -> None:
    assert load_profile(written(tmp_path, LEAST)) == Claim(
        name="least",
        statement="It stays.",
        source="",
        allow=Allow(scopes=frozenset({Scope.LOOPBACK})),
    )


def test_a_profile_says_whose_sentence_it_is_or_it_is_anybody_s(tmp_path: Path) -> None:
    assert read_profile(written(tmp_path, LEAST)).kind is ProfileKind.POLICY
    path = written(tmp_path, LEAST + "kind: measure\n")
    assert read_profile(path).kind is ProfileKind.MEASURE


def test_the_kind_of_a_profile_is_no_part_of_its_claim(tmp_path: Path) -> None:
    plain = load_profile(written(tmp_path, LEAST))
    assert load_profile(written(tmp_path, LEAST + "kind: system\n")) == plain


def test_a_profile_knows_in_which_file_each_of_its_keys_was_set(tmp_path: Path) -> None:
    parent = written(tmp_path, LEAST, "parent.yaml")
    path = written(tmp_path, "name: mine\nextends: parent.yaml\n")
    settings = read_profile(path).settings
    assert settings["name"] == Setting(f"{path}:1", "mine")
    assert settings["statement"] == Setting(f"{parent}:2", "It stays.")


@pytest.mark.parametrize("name", profile_names())
def test_a_packaged_profile_has_its_file_s_name_and_says_what_holds_means(name: str) -> None:
    claim = load_profile(name)
    assert claim.name == name
    assert claim.source and claim.holds_means and claim.holds_does_not_mean


def test_offline_allows_the_machine_itself_and_nothing_else() -> None:
    claim = load_profile("offline")
    assert claim.allow == Allow(scopes=frozenset({Scope.LOOPBACK}))
    assert claim.require == Require(phases=("run",), observe_ns=60 * SECOND_NS)
    assert not claim.uses_lists


def test_no_china_allows_all_but_mainland_china() -> None:
    claim = load_profile("no-china")
    assert claim.allow == Allow(everything=True, scopes=frozenset({Scope.METADATA_SERVICE}))
    alibaba = ip_network("100.100.100.200/32")
    assert claim.deny == Deny(frozenset({"CN"}), frozenset({"CN"}), prefixes=(alibaba,))
    assert claim.require == Require(phases=("run",), observe_ns=60 * SECOND_NS)
    assert claim.uses_lists


def test_an_unknown_name_is_wrong_usage_with_the_nearest() -> None:
    with pytest.raises(WrongUsage, match="did you mean `offline`") as caught:
        load_profile("ofline")
    assert caught.value.exit_code is ExitCode.USAGE


def test_the_beginning_of_names_is_refused_with_those_that_begin_so() -> None:
    meant = "`deepseek-hosted`, `deepseek-r1-local` or `deepseek-v3-local`"
    with pytest.raises(WrongUsage) as caught:
        load_profile("DeepSeek")
    assert caught.value.hint == f"did you mean {meant}?"


def test_a_path_that_is_not_there_is_no_audit() -> None:
    with pytest.raises(ProfileInvalid, match="no such file or directory") as caught:
        load_profile("missing.yaml")
    assert caught.value.exit_code is ExitCode.NO_AUDIT


def test_a_folder_is_no_profile(tmp_path: Path) -> None:
    assert "is a directory" in refusal(str(tmp_path))


def test_a_file_without_the_suffix_is_found_by_its_path(tmp_path: Path) -> None:
    assert load_profile(written(tmp_path, LEAST, "claim")).name == "least"


def test_a_file_up_to_the_bound_is_read_and_one_past_it_is_not(tmp_path: Path) -> None:
    padding = "#" * (MAX_BYTES - len(LEAST) - 1) + "\n"
    assert load_profile(written(tmp_path, LEAST + padding)).name == "least"
    assert "at most 256 KiB" in refusal(written(tmp_path, LEAST + padding + "\n"))


def test_a_file_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_bytes(LEAST.encode() + b"source: caf\xe9\n")
    assert refusal(str(tmp_path / "p.yaml")).endswith("p.yaml:4: not UTF-8 (save it as UTF-8)")


@pytest.mark.parametrize("key", ["name", "statement", "allow"])
def test_a_profile_without_what_it_needs_is_refused(tmp_path: Path, key: str) -> None:
    lines = [line for line in LEAST.splitlines() if not line.startswith(key)]
    assert f"`{key}` is missing" in refusal(written(tmp_path, "\n".join(lines)))


def test_a_child_replaces_what_it_sets_and_keeps_the_rest(tmp_path: Path) -> None:
    written(tmp_path, EVERY_KEY, "parent.yaml")
    child = load_profile(
        written(tmp_path, "name: child\nextends: parent.yaml\ndeny: {located: [CN, HK]}\n")
    )
    parent = load_profile(str(tmp_path / "parent.yaml"))
    assert child.name == "child"
    assert child.deny.located == {"CN", "HK"}
    assert child.deny.controlled == parent.deny.controlled
    assert (child.statement, child.require) == (parent.statement, parent.require)


def test_a_packaged_profile_can_be_extended_by_its_name(tmp_path: Path) -> None:
    text = "name: mine\nextends: offline\nallow: {scopes: [loopback, lan]}\n"
    claim = load_profile(written(tmp_path, text))
    assert claim.allow.scopes == {Scope.LOOPBACK, Scope.LAN}


def test_an_unknown_name_to_extend_is_refused_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "name: mine\nextends: ofline\n")
    assert refusal(path).endswith("p.yaml:2: no profile `ofline` (did you mean `offline`?)")


def test_a_child_without_a_name_of_its_own_is_refused(tmp_path: Path) -> None:
    assert "`name` is missing" in refusal(written(tmp_path, "extends: offline\n"))


def test_profiles_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    written(tmp_path, LEAST + "extends: p.yaml\n", "q.yaml")
    path = written(tmp_path, LEAST + "extends: q.yaml\n")
    q = tmp_path / "q.yaml"
    way = f"extends itself, by way of others: {path}:4 -> {q}:4 -> {path} ("
    assert refusal(path).startswith(f"{q}:4: {way}leave `extends` out here")


def test_a_loop_that_begins_behind_the_first_is_told_with_all_that_leads_to_it(
    tmp_path: Path,
) -> None:
    written(tmp_path, LEAST + "extends: r.yaml\n", "q.yaml")
    written(tmp_path, LEAST + "extends: q.yaml\n", "r.yaml")
    told = refusal(written(tmp_path, LEAST + "extends: q.yaml\n"))
    assert "/p.yaml:4 -> " in told and f"/r.yaml:4 -> {tmp_path}/q.yaml (" in told


def test_a_file_to_extend_that_is_not_there_is_told_with_the_line_that_asks_for_it(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, LEAST + "extends: nowhere.yaml\n")
    told = refusal(path)
    assert told.startswith(f"{tmp_path / 'nowhere.yaml'}: cannot be read")
    assert f"asked for at {path}:4" in told


def test_a_profile_that_extends_itself_needs_no_way(tmp_path: Path) -> None:
    assert ": extends itself (leave" in refusal(written(tmp_path, LEAST + "extends: p.yaml\n"))


def chain(folder: Path, length: int) -> str:
    written(folder, LEAST, f"{length - 1}.yaml")
    for i in range(length - 1):
        written(folder, f"name: n{i}\nextends: {i + 1}.yaml\n", f"{i}.yaml")
    return str(folder / "0.yaml")


def test_a_chain_up_to_the_bound_is_followed(tmp_path: Path) -> None:
    assert load_profile(chain(tmp_path, MAX_CHAIN)).statement == "It stays."


def test_a_chain_past_the_bound_is_refused(tmp_path: Path) -> None:
    assert "extends more than 4 others" in refusal(chain(tmp_path, MAX_CHAIN + 1))


@pytest.mark.parametrize(
    ("allowed", "denied"),
    [
        ("hosts: [a.example.org]", "hosts: [a.example.org]"),
        ("hosts: ['a.example.org']", "hosts: ['*.example.org']"),
        ("hosts: ['*.a.example.org']", "hosts: ['*.example.org']"),
        ("prefixes: [192.0.2.0/24]", "prefixes: [192.0.2.0/24]"),
        ("prefixes: [192.0.2.7]", "prefixes: [192.0.2.0/24]"),
        ("located: [DE, FR]", "located: [FR]"),
        ("controlled: [CN]", "controlled: [CN]"),
    ],
)
def test_what_is_allowed_inside_what_is_denied_is_a_contradiction(
    tmp_path: Path, allowed: str, denied: str
) -> None:
    path = written(tmp_path, f"name: n\nstatement: s\nallow: {{{allowed}}}\ndeny: {{{denied}}}\n")
    assert f"is allowed here and denied at {path}:4" in refusal(path)


@pytest.mark.parametrize(
    ("allowed", "denied"),
    [
        ("hosts: ['*.example.org']", "hosts: [a.example.org]"),
        ("hosts: [example.org]", "hosts: ['*.example.org']"),
        ("hosts: [badexample.org]", "hosts: ['*.example.org']"),
        ("prefixes: [192.0.2.0/24]", "prefixes: [192.0.2.7]"),
        ("prefixes: [192.0.2.0/24]", "prefixes: ['2001:db8::/32']"),
        ("located: [FR]", "controlled: [FR]"),
        ("operators: [Google]", "located: [US]"),
    ],
)
def test_what_is_denied_inside_what_is_allowed_is_an_exception(
    tmp_path: Path, allowed: str, denied: str
) -> None:
    path = written(tmp_path, f"name: n\nstatement: s\nallow: {{{allowed}}}\ndeny: {{{denied}}}\n")
    assert load_profile(path).name == "n"


@pytest.mark.parametrize("scope", ["any", "global"])
def test_a_place_beside_a_scope_that_is_every_place_is_refused(tmp_path: Path, scope: str) -> None:
    path = written(
        tmp_path, f"name: n\nstatement: s\nallow: {{scopes: [{scope}], located: [DE]}}\n"
    )
    assert f"p.yaml:3: `{scope}` allows every place already" in refusal(path)


def test_a_child_can_take_a_place_of_its_parent_back(tmp_path: Path) -> None:
    written(tmp_path, LEAST + "deny: {located: [FR]}\n", "parent.yaml")
    path = written(tmp_path, "name: n\nextends: parent.yaml\nallow: {located: []}\n")
    assert not load_profile(path).allow.by_place


def test_a_contradiction_between_two_files_is_found(tmp_path: Path) -> None:
    written(tmp_path, LEAST + "deny: {hosts: [a.b]}\n", "parent.yaml")
    path = written(tmp_path, "name: n\nextends: parent.yaml\nallow: {hosts: [a.b]}\n")
    assert "parent.yaml:4" in refusal(path)


def test_any_beside_another_scope_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, LEAST.replace("loopback", "any, loopback"))
    assert "p.yaml:3: `any` stands alone" in refusal(path)


def test_any_beside_the_metadata_service_is_not(tmp_path: Path) -> None:
    path = written(tmp_path, LEAST.replace("loopback", "any, metadata-service"))
    allowed = load_profile(path).allow
    assert allowed == Allow(everything=True, scopes=frozenset({Scope.METADATA_SERVICE}))


ENDPOINTS: dict[str, tuple[Entry, ...]] = dict.fromkeys(
    ("ollama-update", "ollama-registry", "vendor:Ollama"), ()
)


def test_an_endpoint_that_the_catalogue_lacks_is_refused_with_line_and_nearest(
    tmp_path: Path,
) -> None:
    text = "name: n\nstatement: s\nallow:\n  endpoints:\n    - vendor:Ollama\n    - olama-update\n"
    with pytest.raises(ProfileInvalid) as caught:
        load_profile(written(tmp_path, text), lambda: ENDPOINTS)
    assert str(caught.value).endswith(
        "p.yaml:6: the catalogue has no `olama-update` (did you mean `ollama-update`?)"
    )


def test_endpoints_that_the_catalogue_has_are_allowed(tmp_path: Path) -> None:
    text = "name: n\nstatement: s\nallow: {endpoints: [ollama-update, 'vendor:Ollama']}\n"
    allowed = load_profile(written(tmp_path, text), lambda: ENDPOINTS).allow
    assert allowed.endpoints == ("ollama-update", "vendor:Ollama")


def test_a_purpose_of_endpoints_is_known_without_the_catalogue(tmp_path: Path) -> None:
    text = "name: n\nstatement: s\nallow: {endpoints: ['purpose:update-check']}\n"
    allowed = load_profile(written(tmp_path, text), lambda: ENDPOINTS).allow
    assert allowed.endpoints == ("purpose:update-check",)


def test_an_allowed_endpoint_may_have_a_purpose_that_is_denied(tmp_path: Path) -> None:
    text = "name: n\nstatement: s\nallow: {endpoints: [a]}\ndeny: {purposes: [telemetry]}\n"
    assert load_profile(written(tmp_path, text)).deny.purposes == {Purpose.TELEMETRY}


def test_a_profile_without_endpoints_does_not_ask_the_catalogue(tmp_path: Path) -> None:
    def asked() -> dict[str, tuple[Entry, ...]]:
        raise AssertionError

    assert load_profile(written(tmp_path, LEAST), asked).allow.endpoints == ()


def test_the_module_is_imported_without_yaml() -> None:
    program = "import sys, egress_audit.judge.profile; sys.exit('yaml' in sys.modules)"
    assert run([sys.executable, "-c", program], check=False).returncode == 0
