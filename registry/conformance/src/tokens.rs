use super::fixtures::name;
use super::{Check, conflict, invalid, not_found};
use lglp_registry::{Change, Digest, NewToken, Role, Store, TokenId};

pub(super) const CHECKS: &[Check] = &[
    (
        "a token is created once, and its secret is known by its hash alone",
        created,
    ),
    ("a token is revoked for good", revoked),
    ("no two active tokens have one name", one_name),
    ("tokens are logged without their secrets", logged),
];

fn id(text: &str) -> TokenId {
    text.parse().unwrap()
}

fn new_token(at: &str, name: &str, role: Role) -> NewToken {
    NewToken {
        id: id(at),
        name: name.to_owned(),
        role,
        hardware: vec![],
    }
}

const FIRST: &str = "00000000000a";
const SECOND: &str = "000000000009";

fn created(store: &dyn Store) {
    assert_eq!(store.tokens().unwrap(), []);
    assert_eq!(not_found(store.credential(&id(FIRST))), ("token", FIRST.to_owned()));
    let new = NewToken {
        hardware: vec![name("cpu")],
        ..new_token(FIRST, "ci", Role::Operator)
    };
    let secret = Digest::of(b"secret");
    let token = store.create_token(&new, &secret, "ann").unwrap();
    assert_eq!((token.id.as_str(), token.name.as_str()), (FIRST, "ci"));
    assert_eq!((token.role, token.created_by.as_str()), (Role::Operator, "ann"));
    assert_eq!((&token.hardware, token.is_active()), (&new.hardware, true));
    let credential = store.credential(&id(FIRST)).unwrap();
    assert_eq!((&credential.token, &credential.secret), (&token, &secret));
    let second = store
        .create_token(&new_token(SECOND, "root", Role::Admin), &secret, "ann")
        .unwrap();
    assert_eq!(store.tokens().unwrap(), [token, second], "the latest is last");

    let bad = |name: &str| store.create_token(&new_token("0000000000ff", name, Role::Viewer), &secret, "ann");
    for name in ["", "-", "a b", "A", &"x".repeat(64)] {
        assert_eq!(invalid(bad(name)), "name", "{name:?}");
    }
    let nobody = store.create_token(&new_token("0000000000ff", "bob", Role::Viewer), &secret, "");
    assert_eq!(invalid(nobody), "actor");
    conflict(store.create_token(&new_token(FIRST, "another", Role::Viewer), &secret, "ann"));
    assert_eq!(store.tokens().unwrap().len(), 2);
}

fn revoked(store: &dyn Store) {
    let secret = Digest::of(b"secret");
    let token = store
        .create_token(&new_token(FIRST, "ci", Role::Viewer), &secret, "ann")
        .unwrap();
    assert_eq!(not_found(store.revoke_token(&id(SECOND), "bob", "")).0, "token");
    assert_eq!(invalid(store.revoke_token(&id(FIRST), "", "")), "actor");
    assert_eq!(store.tokens().unwrap(), [token]);
    let gone = store.revoke_token(&id(FIRST), "bob", "leaked").unwrap();
    assert!(!gone.is_active() && gone.revoked_at.is_some());
    assert_eq!(gone.revoked_by.as_deref(), Some("bob"));
    assert_eq!(store.revoke_token(&id(FIRST), "eve", "again").unwrap(), gone);
    assert_eq!(store.credential(&id(FIRST)).unwrap().token, gone);
    assert_eq!(store.tokens().unwrap(), [gone]);
}

fn one_name(store: &dyn Store) {
    let secret = Digest::of(b"secret");
    let create = |id: &str| store.create_token(&new_token(id, "ci", Role::Viewer), &secret, "ann");
    create(FIRST).unwrap();
    conflict(create(SECOND));
    store.revoke_token(&id(FIRST), "ann", "rotated").unwrap();
    create(SECOND).unwrap();
    assert_eq!(store.tokens().unwrap().len(), 2);
}

fn logged(store: &dyn Store) {
    let secret = Digest::of(b"secret");
    let token = store
        .create_token(&new_token(FIRST, "ci", Role::Viewer), &secret, "ann")
        .unwrap();
    let gone = store.revoke_token(&id(FIRST), "bob", "leaked").unwrap();
    store.revoke_token(&id(FIRST), "eve", "again").unwrap();
    let entries = store.audit(0, 10).unwrap();
    let events = store.events(0, 10).unwrap();
    let expected = [
        Change::TokenCreated {
            token: id(FIRST),
            name: "ci".to_owned(),
            role: Role::Viewer,
        },
        Change::TokenRevoked {
            token: id(FIRST),
            name: "ci".to_owned(),
        },
    ];
    assert_eq!(entries.iter().map(|e| e.change.clone()).collect::<Vec<_>>(), expected);
    assert_eq!(events.into_iter().map(|e| e.change).collect::<Vec<_>>(), expected);
    assert_eq!((&entries[0].actor, &entries[1].actor), (&"ann".into(), &"bob".into()));
    assert_eq!(entries[1].reason.as_deref(), Some("leaked"));
    assert_eq!(entries[0].after, serde_json::json!(token));
    assert_eq!(entries[1].after, serde_json::json!(gone));
    let text = serde_json::to_string(&entries).unwrap();
    assert!(!text.contains(secret.hex()), "the hash is in the audit log: {text}");
    store.verify_audit().unwrap();
}
