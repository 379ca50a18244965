"""The algebra of permissions, driven at random: combining by plain logic, and Flask-Principal's operations on sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.access import ActionNeed, Identity, ItemNeed, Need, Permission, RoleNeed, Rule, TypeNeed, UserNeed

NEEDS = [RoleNeed("editor"), RoleNeed("admin"), UserNeed(1), ActionNeed("publish"), TypeNeed("document")]
NEEDS.append(ItemNeed("edit", 7, "document"))
needs = st.frozensets(st.sampled_from(NEEDS))
permissions = st.builds(lambda wanted, barred: Permission(*wanted, excludes=barred), needs, needs)
identities = st.builds(lambda provided: Identity(id=1, provides=provided), needs)


def rules() -> st.SearchStrategy[Rule]:
    """Permissions combined however deep."""
    return st.recursive(
        permissions.map(lambda permission: permission),
        lambda inner: st.one_of(
            st.builds(lambda one, other: one | other, inner, inner),
            st.builds(lambda one, other: one & other, inner, inner),
            st.builds(lambda one, other: one - other, inner, inner),
            st.builds(lambda one: ~one, inner),
        ),
        max_leaves=8,
    )


def meets(provided: frozenset[Need], permission: Permission) -> bool:
    """What a permission means, said another way."""
    wanted = not permission.needs or any(need in provided for need in permission.needs)
    return wanted and not any(need in provided for need in permission.excludes)


@given(identities, permissions)
def test_any_need_and_no_exclude(identity: Identity, permission: Permission) -> None:
    assert permission.allows(identity) == meets(identity.provides, permission)


@given(identities, rules(), rules())
def test_operators_are_plain_logic(identity: Identity, one: Rule, other: Rule) -> None:
    a, b = one.allows(identity), other.allows(identity)
    assert (one | other).allows(identity) == (a or b)
    assert (one & other).allows(identity) == (a and b)
    assert (one - other).allows(identity) == (a and not b)
    assert (~one).allows(identity) == (not a)


@given(identities, rules(), rules(), rules())
def test_laws(identity: Identity, one: Rule, other: Rule, third: Rule) -> None:
    def same(left: Rule, right: Rule) -> None:
        assert left.allows(identity) == right.allows(identity)

    same(one | other, other | one)
    same(one & other, other & one)
    same((one | other) | third, one | (other | third))
    same((one & other) & third, one & (other & third))
    same(one & (other | third), (one & other) | (one & third))
    same(~(one | other), ~one & ~other)
    same(~~one, one)
    same(one | (one & other), one)


@given(permissions, permissions)
def test_operations_on_sets(one: Permission, other: Permission) -> None:
    both = one.union(other)
    assert (both.needs, both.excludes) == (one.needs | other.needs, one.excludes | other.excludes)
    assert both == other.union(one)
    assert one.issubset(both)
    assert one in both
    left = one.difference(other)
    assert (left.needs, left.excludes) == (one.needs - other.needs, one.excludes - other.excludes)
    assert left.issubset(one)
    assert one.difference(one) == Permission()
    assert one.reverse().reverse() == one
    assert (one == other) == (one.issubset(other) and other.issubset(one))
    assert one != other or hash(one) == hash(other)


@given(identities, needs.filter(bool))
def test_a_reversed_permission_bars_whoever_it_let_in(identity: Identity, wanted: frozenset[Need]) -> None:
    permission = Permission(*wanted)
    assert permission.reverse().allows(identity) == (not permission.allows(identity))


@given(identities, rules())
def test_a_refusal_names_what_the_identity_has(identity: Identity, rule: Rule) -> None:
    words = rule.explain(identity)
    assert words.startswith("needs ")
    for need in identity.provides:
        assert (str(need) in words.partition("; has ")[2]) == (need.method in ("role", "scope"))


@given(identities, st.sampled_from(NEEDS))
def test_another_need_never_closes_a_permission_without_excludes(identity: Identity, need: Need) -> None:
    permission = Permission(*NEEDS[:3])
    if permission.allows(identity):
        assert permission.allows(identity.with_needs(need))
