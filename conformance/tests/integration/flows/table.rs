//! The part of `FAULTS.md` on faults of state.

use conformance::finding::Severity;

use super::FAULTS;
use super::server::Fault;
use crate::fault_page::STATE;

/// The part, by the severities of the findings.
pub(super) fn part(severities: &[Severity]) -> String {
    let mut part = format!(
        "{STATE}\n\
         Written and checked by a test: a server in `tests/integration/flows` has each of these {} faults in turn, and `conformance flows`\n\
         with a second user finds it by the rule that is named. On the right server nothing is found, with 50 seeds.\n\
         [FLOWS.md](FLOWS.md) explains the sequences.\n\n\
         | the server ... | rule | severity |\n|---|---|---|\n",
        FAULTS.len()
    );
    for ((fault, rule, ..), severity) in FAULTS.iter().zip(severities) {
        let word = severity.word();
        part += &format!("| {} | `{rule}` | {word} |\n", does(*fault));
    }
    part
}

/// Describes the fault of the server, after "The server".
fn does(fault: Fault) -> &'static str {
    match fault {
        Fault::None => "does everything right",
        Fault::NotStored => "answers 201 and stores nothing",
        Fault::StoredTruncated => "stores a long text truncated",
        Fault::StoredInUpperCase => "stores a text in upper case",
        Fault::NumberRounded => "rounds a number",
        Fault::MemberLost => "loses a member of what is created",
        Fault::NestedMemberLost => "loses a member of a nested object",
        Fault::DefaultLost => "does not apply a documented default",
        Fault::DefaultOther => "applies another default than the documented one",
        Fault::NewestNotListed => "leaves the newest item out of the list",
        Fault::ReadCounts => "changes a member with each read",
        Fault::UpdateIgnored => "answers an update with success and ignores it",
        Fault::UpdateOfOneMemberIgnored => "ignores one member of an update",
        Fault::UpdateOverwritesAnother => "overwrites another member with an update",
        Fault::UpdateResetsWhatIsNotSent => "resets what an update does not send",
        Fault::UpdateChangesCreationTime => "changes the creation time with an update",
        Fault::UpdateTimeStill => "does not move the time of the last change",
        Fault::UpdateTimeBack => "moves the time of the last change back",
        Fault::UpdateTagStill => "does not change the `ETag` with an update",
        Fault::UpdateWeakTagStill => "does not change a weak `ETag` with an update",
        Fault::UpdatesRefused => "refuses every update",
        Fault::PutMerges => "merges a replacement with what was there",
        Fault::PutStoresTruncated => "stores a replacement truncated",
        Fault::PutAppends => "appends to a list with each replacement",
        Fault::PutRefusedTheSecondTime => "refuses the same replacement the second time",
        Fault::DeleteDoesNothing => "answers a deletion with success and deletes nothing",
        Fault::DeletedStillListed => "lists what was deleted",
        Fault::DeletedStillUpdated => "updates what was deleted",
        Fault::SecondDeleteSucceeds => "answers a second deletion with success",
        Fault::DeleteRefused => "refuses every deletion",
        Fault::ForeignRead => "lets another user read",
        Fault::ForeignList => "lists things of another user",
        Fault::ForeignUpdate => "lets another user update",
        Fault::ForeignDelete => "lets another user delete",
        Fault::ForeignUpdateDespiteRefusal => "refuses an update of another user and makes it",
        Fault::ForeignDeleteDespiteRefusal => "refuses a deletion of another user and makes it",
        Fault::LocationLost => "sends a `Location` that leads nowhere",
        Fault::LocationOfAnother => "sends the `Location` of another thing",
        Fault::KeyIgnored => "ignores the idempotency key",
        Fault::PageSkipsOne => "skips an item between two pages",
        Fault::PageRepeatsOne => "repeats an item on the next page",
        Fault::PagesRestart => "starts again after the last page",
        Fault::PagesNeverEnd => "has a next page behind the last one",
        Fault::PageTooLarge => "sends more items than were asked for",
        Fault::TotalOneMore => "states a total that is one too large",
        Fault::TotalOfPage => "states the number of items of the page as the total",
        Fault::OffsetIgnored => "ignores the offset",
        Fault::OffsetSkips => "skips an item at each offset",
        Fault::HeaderTotalWrong => "states a wrong total in a header",
        Fault::CreationRefused => "refuses every creation",
        Fault::NoId => "creates without telling the id",
        Fault::NoteNotStored => "stores nothing below another thing",
        Fault::ListedNotReadable => "lists an item that cannot be read",
        Fault::ErrorAfterUpdate => "fails to read what was updated",
    }
}
