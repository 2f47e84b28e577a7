//! User names that look alike: those of accounts from before there was a rule.

use image_vault::store::{AccountRow, StoreChoice};
use image_vault::vault::{NewAccount, SignIn, VaultError};

use crate::{Fixture, here};

const PASSWORD: &str = "correct horse battery staple";

async fn register(fixture: &Fixture, name: &str, email: &str) -> Result<AccountRow, VaultError> {
    let new = NewAccount {
        username: name.into(),
        email: format!("{email}@example.org"),
        password: PASSWORD.to_owned().into(),
        display_name: None,
        invitation: None,
    };
    let registered = fixture.vault.register(new, &here()).await;
    registered.map(|opened| opened.account)
}

async fn signs_in(fixture: &Fixture, name: &str) -> bool {
    let sign_in = SignIn {
        login: name.into(),
        password: PASSWORD.to_owned().into(),
        code: None,
        keep: false,
    };
    fixture.vault.sign_in(sign_in, &here()).await.is_ok()
}

/// Gives the account a name as an older program stored it.
async fn from_before(fixture: &Fixture, row: AccountRow, name: &str) {
    let row = AccountRow {
        username: name.into(),
        username_key: name.into(),
        username_skeleton: None,
        ..row
    };
    fixture.store.records.update_account(&row).await.unwrap();
}

async fn is_refused(fixture: &Fixture, name: &str) -> bool {
    match register(fixture, name, "imitator").await {
        Err(VaultError::Taken(errors)) => errors.keys().eq(["username"]),
        _ => false,
    }
}

pub(crate) async fn names_from_before_that_look_alike_go_on_and_no_new_one_joins_them(
    fixture: &Fixture,
    choice: &StoreChoice,
) {
    for (n, name) in ["paula", "pаula", "paulа", "bob"].into_iter().enumerate() {
        let row = register(fixture, &format!("someone{n}"), &format!("{n}")).await;
        from_before(fixture, row.unwrap(), name).await;
    }
    let without = async || {
        let found = fixture.store.records.accounts_without_skeleton(None, 9);
        found.await.unwrap().len()
    };
    assert_eq!(without().await, 4);
    // The upkeep of the next start, as often as it happens.
    for _ in 0..2 {
        let again = Fixture::on(choice).await;
        again.upkeep().await;
        assert_eq!(without().await, 2, "one of those that look alike holds it");
        for name in ["paula", "pаula", "paulа", "bob"] {
            assert!(signs_in(&again, name).await, "{name}");
        }
    }
    for imitation in ["pаulа", "PАULA", "bоb", "BOВ"] {
        assert!(is_refused(fixture, imitation).await, "{imitation}");
    }
    // Whichever of them leaves, the others are still looked like by nobody new.
    for name in ["paula", "pаula"] {
        assert!(fixture.vault.remove_account(name).await.unwrap());
        fixture.upkeep().await;
        assert!(is_refused(fixture, "pаulа").await, "{name} has left");
    }
    assert!(signs_in(fixture, "paulа").await);
    assert!(fixture.vault.remove_account("paulа").await.unwrap());
    register(fixture, "pаulа", "unlike").await.unwrap();
}
