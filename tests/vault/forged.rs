//! What somebody gains who can write the rows of the store, but has no key: nothing.

use std::sync::Arc;

use image_vault::crypto::SessionToken;
use image_vault::store::{KdfRow, SessionRow};
use image_vault::vault::{NewAccount, NewToken, Proof, Scope, SignIn, Unlocked, VaultError};

use crate::{Fixture, here};

const PASSWORD: &str = "correct horse battery staple";

fn is_unauthenticated(opened: Result<Unlocked, VaultError>) -> bool {
    matches!(opened, Err(VaultError::Unauthenticated))
}

async fn row_of(fixture: &Fixture, text: &str) -> SessionRow {
    let token = SessionToken::parse(text.trim_start_matches("ivt_")).unwrap();
    let row = fixture.store.records.session(&token.digest()).await;
    row.unwrap().unwrap()
}

/// Puts a changed row in the place of the one with the same digest.
async fn replace(fixture: &Fixture, row: &SessionRow) {
    let records = &fixture.store.records;
    records.delete_session(&row.digest).await.unwrap();
    records.insert_session(row).await.unwrap();
}

pub(crate) async fn a_session_copied_to_another_account_opens_nothing(fixture: &Fixture) {
    let (_, token) = fixture.person().await;
    let victim = NewAccount {
        username: "bob".into(),
        email: "bob@example.org".into(),
        password: PASSWORD.to_owned().into(),
        display_name: None,
        invitation: None,
    };
    let victim = fixture.vault.register(victim, &here()).await.unwrap();
    let mut row = row_of(fixture, &token).await;
    row.account = victim.account.id;
    replace(fixture, &row).await;
    assert!(is_unauthenticated(fixture.vault.unlock(&token).await));
}

pub(crate) async fn a_token_whose_row_allows_more_than_was_chosen_opens_nothing(fixture: &Fixture) {
    let (who, session) = fixture.person().await;
    let new = || NewToken {
        name: "Backup".into(),
        scopes: vec!["read".into()],
        days: Some(7),
    };
    let make = async || {
        let proof = Proof::new(PASSWORD.to_owned().into(), None);
        let here = here();
        let made = fixture.vault.make_token(&who, new(), proof, &here);
        made.await
    };
    let honest = make().await.unwrap().secret;
    let opened = fixture.vault.unlock(&honest).await.unwrap();
    assert!(opened.may(Scope::Read) && !opened.may(Scope::Write) && opened.scopes().is_some());

    let forge = [
        |row: &mut SessionRow| row.scopes = Some(3),
        |row: &mut SessionRow| row.scopes = None,
        |row: &mut SessionRow| row.expires_at += jiff::SignedDuration::from_hours(1),
    ];
    for forge in forge {
        let secret = make().await.unwrap().secret;
        let mut row = row_of(fixture, &secret).await;
        forge(&mut row);
        replace(fixture, &row).await;
        assert!(is_unauthenticated(fixture.vault.unlock(&secret).await));
        // Nor as a sign-in.
        let bare = secret.trim_start_matches("ivt_");
        assert!(is_unauthenticated(fixture.vault.unlock(bare).await));
    }
    // And a sign-in's secret is no token.
    let dressed = format!("ivt_{session}");
    assert!(is_unauthenticated(fixture.vault.unlock(&dressed).await));
}

pub(crate) async fn a_token_ends_on_its_day(fixture: &Fixture) {
    let (who, _) = fixture.person().await;
    let new = NewToken {
        name: "Backup".into(),
        scopes: vec!["read".into(), "write".into()],
        days: Some(2),
    };
    let proof = Proof::new(PASSWORD.to_owned().into(), None);
    let made = fixture.vault.make_token(&who, new, proof, &here()).await;
    let secret = made.unwrap().secret;
    // However long it rests: a program has its days off.
    fixture.wait(47 * crate::HOUR);
    fixture.vault.unlock(&secret).await.unwrap();
    fixture.wait(crate::HOUR);
    assert!(is_unauthenticated(fixture.vault.unlock(&secret).await));
    fixture.upkeep().await;
    let token = SessionToken::parse(secret.trim_start_matches("ivt_")).unwrap();
    let row = fixture.store.records.session(&token.digest()).await;
    assert_eq!(row.unwrap(), None);
}

pub(crate) async fn a_password_hash_made_cheap_in_its_row_opens_nothing(fixture: &Fixture) {
    let (who, _) = fixture.person().await;
    let sign_in = async || {
        let sign_in = SignIn {
            login: "ada".into(),
            password: PASSWORD.to_owned().into(),
            code: None,
            keep: false,
        };
        fixture.vault.sign_in(sign_in, &here()).await
    };
    sign_in().await.unwrap();
    let records = Arc::clone(&fixture.store.records);
    let honest = records.account(who.id()).await.unwrap().unwrap().kdf;
    let forge = [
        |kdf: &mut KdfRow| kdf.memory_kib -= 1,
        |kdf: &mut KdfRow| kdf.passes = 1,
        |kdf: &mut KdfRow| kdf.lanes = 2,
        |kdf: &mut KdfRow| kdf.pepper_id += 1,
        |kdf: &mut KdfRow| kdf.salt[0] ^= 1,
        // Not even tried: it would take all the memory there is.
        |kdf: &mut KdfRow| kdf.memory_kib = u32::MAX,
    ];
    for forge in forge {
        let mut row = records.account(who.id()).await.unwrap().unwrap();
        row.kdf = honest.clone();
        forge(&mut row.kdf);
        records.update_account(&row).await.unwrap();
        assert!(sign_in().await.is_err());
        // So many failures in a row would have to wait.
        fixture.wait(crate::DAY);
    }
    let mut row = records.account(who.id()).await.unwrap().unwrap();
    row.kdf = honest;
    records.update_account(&row).await.unwrap();
    sign_in().await.unwrap();
}
