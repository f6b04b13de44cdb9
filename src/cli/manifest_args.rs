//! The flag for the manifest of what is stored.

use std::path::PathBuf;

use clap::ValueHint;

use super::failure::Failure;
use super::places::address;
use crate::location::{FileOrObject, folder_of};

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ManifestArgs {
    /// With -r: when all is stored, write its manifest to a file or to s3://BUCKET/KEY, for `inspect --manifest`
    #[arg(id = "manifest", long, value_name = "PLACE", value_hint = ValueHint::FilePath)]
    pub(crate) place: Option<FileOrObject>,
}

impl ManifestArgs {
    /// Refuses a manifest that would not be whole, or would be among what it is about: the last of the places is the target.
    pub(crate) fn check(
        &self,
        places: &[PathBuf],
        recursive: bool,
        dry_run: bool,
        no_clobber: bool,
    ) -> Result<(), Failure> {
        let Some(manifest) = &self.place else { return Ok(()) };
        if !recursive {
            return Err(Failure::usage("--manifest is about the files of a directory")
                .hint("add -r, or leave it out"));
        }
        if dry_run {
            return Err(Failure::usage("--dry-run stores nothing that a manifest could be about")
                .hint("leave out one of the two"));
        }
        if no_clobber {
            return Err(Failure::usage(
                "--no-clobber skips objects of which the manifest would know nothing",
            )
            .hint("--update skips what is up to date, and the manifest has it"));
        }
        let Some((target, sources)) = places.split_last() else { return Ok(()) };
        let is_inside = match manifest {
            FileOrObject::Object(uri) => address(target).is_ok_and(|target| target.holds(uri)),
            FileOrObject::File(path) => {
                let folder = folder_of(path).canonicalize();
                let folder = folder.unwrap_or_else(|_| folder_of(path).to_owned());
                sources
                    .iter()
                    .any(|source| source.canonicalize().is_ok_and(|source| folder.starts_with(source)))
            }
        };
        if is_inside {
            return Err(Failure::usage(format!("the manifest {manifest} would be among what it is about"))
                .hint("name a place outside of the directory and outside of the target"));
        }
        Ok(())
    }
}
