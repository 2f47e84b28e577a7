//! What time and other processes do to a second factor.

use image_vault::store::StoreChoice;
use image_vault::vault::{Begun, Proof, SignIn, Started, Unlocked, VaultError};
use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::Ordering;
use totp_rs::{Builder, Secret, Totp};
use zeroize::Zeroizing;

use crate::{Fixture, here};

const PASSWORD: &str = "correct horse battery staple";

fn proof() -> Proof {
    Proof::new(PASSWORD.to_owned().into(), None)
}

fn sign_in(code: Option<&str>) -> SignIn {
    SignIn {
        login: "ada".into(),
        password: PASSWORD.to_owned().into(),
        code: code.map(|code| code.to_owned().into()),
        keep: false,
    }
}

/// The code that an app shows now, by the fixture's clock.
fn code(fixture: &Fixture, app: &Totp) -> String {
    let ahead = SignedDuration::from_secs(fixture.ahead_secs.load(Ordering::Relaxed));
    let now = (Timestamp::now() + ahead).as_second();
    app.generate(u64::try_from(now).unwrap()).to_string()
}

/// Begins an app, which is not asked for yet.
async fn begun(fixture: &Fixture, who: &Unlocked) -> Totp {
    let begun = fixture
        .vault
        .begin_authenticator(who, proof(), &here())
        .await;
    let secret = begun.unwrap().secret;
    let secret = data_encoding::BASE32_NOPAD
        .decode(secret.as_bytes())
        .unwrap();
    let secret = Secret::new_stack(secret.try_into().unwrap());
    Builder::new().with_secret(secret).build().unwrap()
}

/// Sets an app up, and waits for its next code.
async fn set_up(fixture: &Fixture, who: &Unlocked) -> (Totp, Vec<Zeroizing<String>>) {
    let app = begun(fixture, who).await;
    let first = code(fixture, &app);
    let confirmed = fixture
        .vault
        .confirm_authenticator(who, &first, &here())
        .await;
    let spare = confirmed.unwrap();
    fixture.wait(60);
    (app, spare)
}

pub(crate) async fn codes_work_once_on_all_processes(fixture: &Fixture, choice: &StoreChoice) {
    let (who, _) = fixture.person().await;
    let (app, spare) = set_up(fixture, &who).await;
    let other = Fixture::on(choice).await;
    other.wait(60);
    for one in [code(fixture, &app), spare[0].to_string()] {
        let (here, there) = (here(), here());
        let both = futures_util::future::join(
            fixture.vault.sign_in(sign_in(Some(&one)), &here),
            other.vault.sign_in(sign_in(Some(&one)), &there),
        );
        let (first, second): (Result<Started, _>, Result<Started, _>) = both.await;
        assert!(first.is_ok() != second.is_ok(), "one of them gets in");
        let refused = first.err().or(second.err()).unwrap();
        assert!(matches!(refused, VaultError::WrongFactor(_)), "{refused}");
    }
}

/// Signed in anew, without a code.
async fn entered(fixture: &Fixture) -> Unlocked {
    let started = fixture.vault.sign_in(sign_in(None), &here()).await.unwrap();
    fixture.vault.unlock(&started.token).await.unwrap()
}

pub(crate) async fn an_app_can_be_confirmed_for_half_an_hour(fixture: &Fixture) {
    let (who, _) = fixture.person().await;
    let app = begun(fixture, &who).await;
    fixture.wait(30 * 60);
    let who = entered(fixture).await;
    let late = code(fixture, &app);
    let confirmed = fixture
        .vault
        .confirm_authenticator(&who, &late, &here())
        .await;
    assert!(matches!(confirmed, Err(VaultError::Gone)));
    let shown = fixture.vault.waiting_authenticator(&who).await;
    assert!(matches!(shown.err(), Some(VaultError::Gone)));
    let who = entered(fixture).await;
    let again = begun(fixture, &who).await;
    fixture.wait(29 * 60);
    let in_time = code(fixture, &again);
    let confirmed = fixture
        .vault
        .confirm_authenticator(&who, &in_time, &here())
        .await;
    assert_eq!(confirmed.unwrap().len(), 10);
}

pub(crate) async fn a_waiting_sign_in_ends_after_five_minutes(fixture: &Fixture) {
    let (who, _) = fixture.person().await;
    let (app, _) = set_up(fixture, &who).await;
    let waiting = async || {
        let begun = fixture.vault.begin_sign_in(sign_in(None), &here()).await;
        match begun.unwrap() {
            Begun::Waiting(waiting) => waiting.token,
            Begun::SignedIn(_) => panic!("no code was asked for"),
        }
    };
    let token = waiting().await;
    fixture.wait(5 * 60);
    let late = code(fixture, &app);
    let finished = fixture.vault.finish_sign_in(&token, &late, &here()).await;
    assert!(matches!(finished.err(), Some(VaultError::Unauthenticated)));
    fixture.upkeep().await;
    let token = waiting().await;
    fixture.wait(4 * 60);
    let in_time = code(fixture, &app);
    let finished = fixture
        .vault
        .finish_sign_in(&token, &in_time, &here())
        .await;
    fixture
        .vault
        .unlock(&finished.unwrap().token)
        .await
        .map(drop)
        .unwrap();
}

/// An older code than the last one is over, whatever the clock of this process says.
pub(crate) async fn a_clock_that_goes_back_brings_no_code_back(fixture: &Fixture) {
    let (who, _) = fixture.person().await;
    let (app, _) = set_up(fixture, &who).await;
    let used = code(fixture, &app);
    fixture
        .vault
        .sign_in(sign_in(Some(&used)), &here())
        .await
        .unwrap();
    for back in [30, 60] {
        fixture.wait(-back);
        for old in [&used, &code(fixture, &app)] {
            let again = fixture.vault.sign_in(sign_in(Some(old)), &here()).await;
            assert!(matches!(again.err(), Some(VaultError::WrongFactor(_))));
        }
    }
}

/// A passkey's PRF output is not at hand when the key is replaced; codes go on as they are.
pub(crate) async fn codes_outlive_a_new_master_key(fixture: &Fixture) {
    let (who, _) = fixture.person().await;
    let (app, spare) = set_up(fixture, &who).await;
    let rotate = async |code: Option<String>| {
        let proof = Proof::new(PASSWORD.to_owned().into(), code.map(Zeroizing::new));
        let here = here();
        let rotated = fixture.vault.rotate_master_key(&who, proof, &here);
        rotated.await
    };
    assert!(matches!(
        rotate(None).await,
        Err(VaultError::FactorWanted(_))
    ));
    rotate(Some(code(fixture, &app))).await.map(drop).unwrap();
    fixture.wait(60);
    let enter = async |code: &str| fixture.vault.sign_in(sign_in(Some(code)), &here()).await;
    enter(&code(fixture, &app)).await.map(drop).unwrap();
    enter(&spare[0]).await.map(drop).unwrap();
    assert!(matches!(
        enter(&spare[0]).await,
        Err(VaultError::WrongFactor(_))
    ));
}

/// Whoever ended it may have done so because somebody else has the browser.
pub(crate) async fn an_ended_sign_in_sets_no_factor_up(fixture: &Fixture) {
    let (who, _) = fixture.person().await;
    fixture.vault.sign_out(&who).await.unwrap();
    let begun = fixture
        .vault
        .begin_authenticator(&who, proof(), &here())
        .await;
    assert!(matches!(begun, Err(VaultError::Unauthenticated)));
    let stored = fixture.store.records.factor(who.id()).await.unwrap();
    assert_eq!(stored, None);
}
