//! What each operation of the REST API answers, as it was recorded: whoever changes an answer sees it in `snapshots/`, and clients that rely
//! on it see it in the history. `INSTA_UPDATE=always cargo nextest run --release -p lglp-tests --test answers` records anew.

mod administration;
mod measuring;
mod predicting;
mod promoting;
mod recorder;
