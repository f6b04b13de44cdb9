//! x
use super::super::failure::Failure;
use super::super::session::Session;
use super::Choice;
use crate::location::S3Uri;

#[derive(clap::Args)]
pub struct BatchArgs {
    #[arg(long)]
    batch: bool,
}
impl BatchArgs {
    pub fn is_asked(&self) -> bool {
        self.batch
    }
    pub fn run(&self, _: &[S3Uri], _: &Choice, _: bool, _: &Session) -> Result<(), Failure> {
        Ok(())
    }
}
