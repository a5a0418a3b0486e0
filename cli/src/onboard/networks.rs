//! `lglp onboard --for onnx`.

use indicatif::{ProgressBar, ProgressStyle};
use lglp_engine::measure::{CampaignEvent, Wanted};
use lglp_engine::networks::GivenNetwork;
use lglp_engine::onboard::{NetworkOnboarding, Step};
use lglp_engine::predictor::Recipe;
use lglp_engine::train::Training;
use lglp_terminal::actor;

use super::{Args, measure_wanted, show_measuring, show_step, tell};
use crate::Context;
use crate::measure::require_single;

pub(super) fn run(context: &Context, args: &Args) -> anyhow::Result<()> {
    anyhow::ensure!(
        !args.job && !args.rehearse && args.plot.is_none(),
        "--for onnx measures on this machine: leave --job, --rehearse and --plot out"
    );
    let mut host = context.plugins()?;
    let setup = args.setup.setup(&mut host);
    let spaces = context.spaces()?;
    let recipe = Recipe::load(context.recipes_folder(), &args.recipe)?;
    let registry = context.registry_or_new("onboard")?;
    let space = spaces.of_new_target(&*registry.store, &args.hardware, args.space.as_deref())?;
    require_single(&*registry.store, &args.hardware, setup.batch)?;
    let training = Training {
        store: &*registry.store,
        host: &host,
        space,
        hardware: &args.hardware,
        recipe: &recipe,
        seed: args.seed,
    };
    let actor = actor();
    let onboarding = NetworkOnboarding {
        training,
        budget: args.budget(),
        goal: args.until,
        actor: &actor,
    };
    let style = ProgressStyle::with_template("measuring {bar:30} {pos}/{len} {per_sec} eta {eta} {wide_msg}")?;
    let bar = ProgressBar::new(0).with_style(style);
    let mut known = |step: &Step| show_step(&bar, context.json(), step);
    let mut measure = |networks: &[GivenNetwork]| -> anyhow::Result<()> {
        bar.set_length(networks.len() as u64);
        let mut show = |event| {
            // All of them are asked for each time, those included that are measured.
            if let CampaignEvent::Resuming { done } = event {
                bar.set_position(done as u64);
            }
            show_measuring(&bar, event);
        };
        let wanted = Wanted::Networks { replicate: 0, networks };
        measure_wanted(&training, &spaces, &setup, wanted, &actor, &mut show)
    };
    let (found, content) = onboarding.run(&mut known, &mut measure)?;
    bar.finish_and_clear();
    let version = training.store.create_version(&args.hardware, &content, None)?;
    tell(context, &recipe, &found, &version, " --for onnx")
}
