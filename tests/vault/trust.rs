//! What the owner is told, and what nobody's requests may take.

use std::time::Duration;

use image_vault::vault::{Caller, SignIn, Unlocked};

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
