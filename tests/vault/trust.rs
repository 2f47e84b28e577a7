//! What the owner is told, and what nobody's requests may take.

use std::time::Duration;

use image_vault::vault::{Caller, Proof, SignIn, Unlocked, VaultError};

use crate::{DAY, Fixture, here};

const PASSWORD: &str = "correct horse battery staple";

async fn sign_in(fixture: &Fixture, caller: &Caller) -> Unlocked {
    let sign_in = SignIn {
        login: "ada".into(),
        password: PASSWORD.to_owned().into(),
        code: None,
        keep: false,
    };
    let started = fixture.vault.sign_in(sign_in, caller).await.unwrap();
    fixture.vault.unlock(&started.token).await.unwrap()
}

async fn new_devices(fixture: &Fixture, who: &Unlocked) -> usize {
    let events = fixture.vault.events(who).await.unwrap();
    let new = events.iter().filter(|event| event.kind == "new_device");
    new.count()
}

pub(crate) async fn a_new_device_is_told_once_and_again_after_months(fixture: &Fixture) {
    let (who, _) = fixture.person().await;
    sign_in(fixture, &here()).await;
    assert_eq!(new_devices(fixture, &who).await, 0, "it registered here");
    let elsewhere = Caller {
        device: "another".into(),
        ..here()
    };
    for _ in 0..3 {
        sign_in(fixture, &elsewhere).await;
    }
    assert_eq!(new_devices(fixture, &who).await, 1);
    let far = Caller {
        address: Some([198, 51, 100, 1].into()),
        ..here()
    };
    sign_in(fixture, &far).await;
    assert_eq!(new_devices(fixture, &who).await, 2, "from a new place");
    fixture.wait(91 * DAY);
    let who = sign_in(fixture, &elsewhere).await;
    assert_eq!(new_devices(fixture, &who).await, 3);
}

/// The list of an export can take hundreds of MiB.
pub(crate) async fn an_export_waits_for_memory_as_an_upload_does(fixture: &Fixture) {
    let (who, _) = fixture.person().await;
    fixture.add(&who, 1).await;
    // As much as there is: what is larger gets in alone.
    let taken = fixture.vault.admit_form(&who, None, 1 << 40).await;
    assert!(taken.is_ok());
    let mut export = std::pin::pin!(fixture.vault.create_export(&who, false));
    let a_while = tokio::time::sleep(Duration::from_millis(500));
    tokio::select! {
        _ = &mut export => panic!("it took memory that was not there"),
        () = a_while => {}
    }
    drop(taken);
    assert_eq!(export.await.unwrap().entries, 3, "a picture and two texts");
}

/// A proof holds no longer than the password that it was given with.
pub(crate) async fn of_two_new_passwords_at_once_one_opens_the_account(fixture: &Fixture) {
    let (who, _) = fixture.person().await;
    let news = ["a meadow in the morning", "a harbour in the evening"];
    let caller = here();
    let [first, second] = news.map(|new| {
        let proof = Proof::new(PASSWORD.to_owned().into(), None);
        let vault = &fixture.vault;
        vault.change_password(&who, proof, new.to_owned().into(), &caller)
    });
    let (first, second) = tokio::join!(first, second);
    let mut outcomes = [first, second].into_iter().zip(news);
    let changed: Vec<&str> = outcomes
        .by_ref()
        .filter_map(|(outcome, new)| match outcome {
            Ok(()) => Some(new),
            Err(error) => {
                assert!(matches!(error, VaultError::WrongPassword), "{error}");
                None
            }
        })
        .collect();
    assert_eq!(changed.len(), 1);
    for password in [PASSWORD, news[0], news[1]] {
        let sign_in = SignIn {
            login: "ada".into(),
            password: password.to_owned().into(),
            code: None,
            keep: false,
        };
        let opened = fixture.vault.sign_in(sign_in, &caller).await;
        assert_eq!(opened.is_ok(), password == changed[0], "{password}");
    }
}
