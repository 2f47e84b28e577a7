//! The promises of `store::Records` and `store::Blobs`, each a test on each backend, and what is
//! one backend's own.
//!
//! The MongoDB half needs a replica set: `scripts/mongod run -- cargo test --test store`. Without
//! one it says that it was left out; with `IMAGE_VAULT_TEST_ALL=1` it fails.

#![allow(
    clippy::unwrap_used,
    reason = "clippy sees no test in the functions that tests call"
)]

#[path = "store/accounts.rs"]
mod accounts;
#[path = "store/archives.rs"]
mod archives;
#[path = "store/authority.rs"]
mod authority;
#[path = "store/blobs.rs"]
mod blobs;
#[path = "store/catalogue.rs"]
mod catalogue;
#[path = "store/damage.rs"]
mod damage;
#[path = "store/events.rs"]
mod events;
#[path = "store/factors.rs"]
mod factors;
#[path = "store/fresh.rs"]
mod fresh;
#[path = "store/image_keys.rs"]
mod image_keys;
#[path = "store/images.rs"]
mod images;
#[path = "store/instance.rs"]
mod instance;
#[path = "store/invitations.rs"]
mod invitations;
#[path = "store/log.rs"]
mod log;
#[path = "store/mongo_gridfs.rs"]
mod mongo_gridfs;
#[path = "store/mongo_plans.rs"]
mod mongo_plans;
#[path = "store/mongo_schema.rs"]
mod mongo_schema;
#[path = "store/nouns.rs"]
mod nouns;
#[path = "store/only_embedded.rs"]
mod only_embedded;
#[path = "store/only_mongo.rs"]
mod only_mongo;
#[path = "store/proxy.rs"]
mod proxy;
#[path = "store/quotas.rs"]
mod quotas;
#[path = "store/samples.rs"]
mod samples;
#[path = "store/sessions.rs"]
mod sessions;
#[path = "store/skeletons.rs"]
mod skeletons;
#[path = "store/trash.rs"]
mod trash;
#[path = "store/tries.rs"]
mod tries;
#[path = "store/usage.rs"]
mod usage;

/// Runs each case under its own name on both backends. A case that is not listed is dead code, and
/// the compiler says so.
macro_rules! conformance {
    ($($noun:ident: $($case:ident),+;)+) => {
        mod embedded {
            $(mod $noun { $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    crate::fresh::on_embedded(crate::$noun::$case).await;
                }
            )+ })+
        }

        mod mongo {
            $(mod $noun { $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    crate::fresh::on_mongo(crate::$noun::$case).await;
                }
            )+ })+
        }
    };
}

conformance! {
    instance:
        the_first_check_value_is_kept,
        of_twenty_check_values_that_race_one_is_kept,
        a_later_start_leaves_existing_data_alone,
        two_starts_at_once_both_succeed,
        a_store_that_is_there_answers_a_ping;
    accounts:
        an_account_reads_back_by_id_and_by_either_login,
        the_first_account_becomes_administrator_and_no_later_one,
        of_twenty_who_race_to_be_first_one_becomes_administrator,
        of_twenty_who_race_where_only_the_first_is_let_in_one_is,
        of_twenty_who_race_for_a_name_one_wins,
        a_taken_name_is_refused_and_its_account_untouched,
        a_taken_address_is_refused_and_its_account_untouched,
        names_differ_when_one_byte_differs,
        a_stale_update_conflicts,
        of_twenty_updates_of_one_revision_one_is_done,
        an_update_cannot_take_anothers_address,
        an_account_that_is_not_there_cannot_be_updated,
        new_credentials_end_the_old_sessions_in_one_change,
        a_removed_account_takes_everything_with_it_and_nothing_of_others,
        an_account_that_departs_is_noted_until_it_is_forgotten;
    skeletons:
        a_name_that_looks_like_a_taken_one_is_refused,
        of_twenty_who_race_for_a_look_one_wins,
        names_from_before_have_no_look_until_one_of_those_alike_gets_it;
    sessions:
        a_session_reads_back,
        a_session_comes_with_its_account,
        a_use_is_noted_and_never_undone,
        a_session_that_is_gone_stays_gone,
        expired_and_idle_sessions_are_removed,
        an_accounts_sessions_are_listed_and_ended_but_one,
        api_tokens_are_listed_apart_and_stay_when_sign_ins_end,
        of_very_many_sign_ins_the_newest_stay_and_every_token;
    authority:
        an_image_by_a_session_that_has_ended_is_not_stored,
        once_a_sessions_end_is_stored_nothing_comes_by_it;
    image_keys:
        keys_of_a_generation_come_by_id_and_are_replaced_once,
        no_image_comes_under_a_master_key_that_was_replaced;
    events:
        an_accounts_events_come_newest_first,
        old_events_are_forgotten,
        of_very_many_events_the_newest_stay;
    factors:
        a_factor_reads_back_as_it_was_put,
        a_factor_is_put_only_over_the_one_that_was_read,
        of_twenty_who_use_one_code_up_one_has_done_so,
        reset_credentials_end_sessions_and_factor_in_one_change,
        nothing_made_before_credentials_were_reset_comes_after_it,
        credentials_and_factor_are_rotated_together_or_not_at_all,
        what_is_pending_is_taken_by_one_of_twenty,
        what_is_pending_ends_by_itself,
        of_very_much_that_is_pending_the_newest_stays,
        a_removed_account_leaves_neither_factor_nor_what_is_pending;
    invitations:
        an_invitation_lets_one_of_twenty_in,
        an_invitation_is_spent_with_the_account_or_not_at_all,
        an_invitation_that_has_ended_lets_nobody_in,
        a_store_knows_whether_it_ever_had_an_account;
    tries:
        tries_are_replaced_only_by_who_knows_them,
        of_twenty_who_count_at_once_one_does,
        tries_are_forgotten_one_by_one_or_by_age;
    images:
        an_image_reads_back,
        a_digest_is_stored_once_in_an_account,
        of_twenty_equal_images_that_race_one_is_stored,
        images_of_one_name_are_told_apart,
        anothers_image_is_not_found,
        a_thousand_ids_are_looked_up_at_once,
        a_stale_metadata_update_conflicts,
        of_twenty_metadata_updates_of_one_revision_one_is_done,
        many_metadata_updates_are_one_change_and_name_those_that_were_made,
        a_preview_is_noted_once,
        a_blob_is_referenced_while_a_row_names_it;
    trash:
        an_image_goes_to_the_trash_and_back,
        only_images_that_move_are_returned,
        the_oldest_trash_comes_first,
        a_removed_image_leaves_its_rows_blobs_to_the_caller,
        an_image_restored_in_the_last_moment_is_not_removed_as_old_trash,
        a_removed_digest_may_be_stored_again;
    usage:
        what_an_account_keeps_is_counted_with_each_change,
        records_and_previews_grow_no_further_than_they_may,
        after_any_changes_the_count_is_what_is_there;
    quotas:
        what_does_not_fit_is_not_stored,
        of_twenty_who_race_for_the_last_room_as_many_get_it_as_fit,
        what_was_decided_about_an_account_replaces_the_default,
        an_account_that_is_gone_keeps_nothing;
    catalogue:
        changes_come_in_the_order_of_their_numbers,
        a_call_that_changes_nothing_raises_no_number,
        accounts_count_apart,
        numbers_become_visible_in_order,
        a_large_catalogue_comes_whole,
        what_changes_while_it_is_read_is_not_lost,
        old_tombstones_are_forgotten;
    nouns:
        every_table_is_of_a_noun,
        every_blob_of_a_row_is_referenced_until_the_row_is_gone,
        nothing_names_an_account_that_departed_but_the_note_of_it,
        what_ends_by_itself_is_removed_at_its_time_and_nothing_else;
    archives:
        a_ticket_reads_back_for_its_owner,
        tickets_that_have_ended_hand_back_their_blobs_oldest_first,
        the_tickets_before_an_accounts_newest_are_handed_back;
    blobs:
        a_blob_reads_back_whatever_its_size_and_pieces,
        any_part_can_be_read,
        a_missing_blob_is_not_found,
        removing_twice_succeeds,
        an_id_used_twice_leaves_the_older_blob,
        of_twenty_writers_of_one_id_one_wins,
        a_reader_never_sees_half_a_blob,
        a_dropped_writer_leaves_nothing,
        a_writer_that_panics_leaves_nothing,
        a_blob_deleted_while_it_is_read_is_whole_or_an_error,
        old_blobs_are_listed_and_young_ones_not,
        many_are_written_and_read_at_once;
    damage:
        a_cut_blob_is_never_passed_off_as_whole,
        bytes_added_behind_a_blob_are_never_passed_off_as_its_own,
        a_small_blob_of_another_length_is_damaged;
}
