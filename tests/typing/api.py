"""Type-checked, never run: what a caller's type checker sees."""

from datetime import date
from typing import assert_type

import polars as pl

import nser_pmt as nser

model = nser.load_model("schreiner-pk-2009")
assert_type(model, nser.Model)

eager = nser.synth.households(10)
assert_type(nser.synth.people(10, seed=1, script="both"), nser.synth.People)
assert_type(nser.synth.people(10).truth, pl.DataFrame)
assert_type(nser.synth.registry(10, seed=1, script="both"), nser.synth.Country)
assert_type(nser.synth.registry(10).household_truth, pl.DataFrame)
assert_type(nser.score(eager, model), pl.DataFrame)
assert_type(nser.score(eager.lazy(), "schreiner-pk-2009", on_invalid="error"), pl.LazyFrame)
assert_type(nser.likelihood(eager.lazy(), model, lines="nl100"), pl.LazyFrame)
assert_type(nser.explain(eager, model, id="hh_id"), pl.DataFrame)
assert_type(nser.diagnose(eager.lazy(), model), pl.DataFrame)
assert_type(model.score_expr(inputs={"tv": pl.lit(True)}), pl.Expr)
assert_type(model.score_one({"tv": True}), tuple[float | None, str])
assert_type(model.lint(), tuple[nser.Finding, ...])
assert_type(nser.RunControl(threads=1, progress=print).done, int)

nser.score(eager, model, on_invalid="ignore")  # type: ignore[type-var, arg-type, unused-ignore]
nser.score(eager, model, "error")  # type: ignore[misc, call-arg, type-var, unused-ignore]

assert_type(nser.cnic.parse("cnic", sex="sex"), pl.Expr)
assert_type(nser.cnic.normalize_one(3520212345671), str | None)
assert_type(nser.cnic.mask(pl.col("cnic"), show="none"), pl.Expr)
assert_type(nser.cnic.prefixes(), pl.DataFrame)
assert_type(nser.names.key("name", tokens="first"), pl.Expr)
assert_type(nser.names.similarity_one("Ali", None), float | None)
assert_type(nser.names.frequencies(pl.Series(["Ali"])), nser.names.Frequencies)
assert_type(nser.similarity.jaro_winkler("a", pl.lit("Ali"), cutoff=0.8), pl.Expr)
assert_type(nser.similarity.levenshtein_distance_one("a", "b"), int | None)
assert_type(nser.similarity.top_k(["Ali"], pl.Series(["Aly"]), k=1), pl.DataFrame)

quality = nser.evaluate_links(eager, eager.lazy(), candidates="found", by="kind")
assert_type(quality, nser.LinkQuality)
assert_type(quality.curve, pl.DataFrame | None)

index = nser.PersonIndex.load("people.index", verify=True)
assert_type(index.search({"cnic": "3520212345671"}, k=1), list[nser.PersonMatch])
assert_type(index.search(eager.lazy(), threshold=None), pl.DataFrame)
assert_type(index.remove([1, 2]), int)

nser.synth.people(10, script="urdu")  # type: ignore[arg-type, unused-ignore]
pairs = pl.DataFrame({"id_left": [1], "id_right": [2], "match_weight": [3.0]})
found = nser.cluster(pairs.lazy(), method="average", frame=eager, id="hh_id", one_per="source")
assert_type(found, nser.Clusters)
assert_type(found.refused, pl.DataFrame)
assert_type(nser.assign(pairs, threshold=1.0), pl.DataFrame)
rules: dict[str, nser.golden.Rule] = {"name": "longest", "dob": nser.golden.newest("visited")}
assert_type(nser.representative(eager, found, id="hh_id", rules=rules), pl.DataFrame)
nser.cluster(pairs, method="single")  # type: ignore[arg-type, unused-ignore]

spec = nser.propose_spec(eager.lazy(), id="hh_id", sample=1000).spec
assert_type(spec, nser.LinkSpec)
assert_type(nser.propose_spec(eager).refused, tuple[str, ...])
assert_type(nser.link(eager, spec, id="id"), pl.DataFrame)
assert_type(nser.link(eager, eager.lazy(), spec, id="id", threshold=None), pl.DataFrame)
assert_type(nser.link(eager, spec, id="id", to="pairs.parquet"), pl.LazyFrame)
assert_type(nser.learn(eager, spec, id="id").spec, nser.LinkSpec)
assert_type(nser.plots.match_weights(nser.learn(eager, spec, id="id")), nser.plots.Chart)
assert_type(nser.plots.cluster_sizes(found).svg, str)
fitted = nser.fit(eager, nser.ModelSpec(target="y", terms=["size"]))
assert_type(nser.plots.coefficients(fitted, terms=["size"]), nser.plots.Chart)
nser.plots.roc(fitted)  # type: ignore[arg-type, unused-ignore]
checked = nser.verify(eager, eager.lazy(), id="id", citizen_id="id", show="none")
assert_type(checked, nser.Verified)
assert_type(checked.frame, pl.DataFrame)
nser.verify(eager, eager, id="id", citizen_id="id", show="all")  # type: ignore[arg-type, unused-ignore]

known = nser.totals_template(eager.lazy(), margins=["area", ("area", "sex")], by="province")
assert_type(known, pl.DataFrame)
calibrated = nser.calibrate(eager.lazy(), known, weights="w", method="logit", bounds=(0.3, 3))
assert_type(calibrated, nser.Calibrated)
assert_type(calibrated.weights, pl.Series)
nser.calibrate(eager, known, method="rake")  # type: ignore[arg-type, unused-ignore]

nser.cnic.mask("cnic", show="all")  # type: ignore[arg-type, unused-ignore]

survey = eager.with_columns(pmt_score=pl.lit(1.0), cons=pl.lit(2.0))
assert_type(nser.targeting(survey, welfare="cons", line=1.5), nser.Targeting)
assert_type(nser.targeting(survey.lazy(), welfare="cons", rate=[0.1, 0.2]).curve, pl.DataFrame)
assert_type(
    nser.compare_models(survey, {"a": model, "b": "pmt_score"}, welfare="cons", line=1),
    nser.ModelComparison,
)
assert_type(nser.decay(survey, survey, model, welfare="cons", line=1), nser.Decay)
table = nser.likelihood_table(survey, welfare="cons", lines={"nl100": 1.0}, bands=[0, 50, 100])
assert_type(table.attach(model), nser.Model)
assert_type(nser.to_scorecard("hiics-2016-research", points=50).model, nser.Model)
nser.targeting(survey, welfare="cons", line=1, design="best")  # type: ignore[arg-type]
fit = nser.fit(eager, nser.ModelSpec(target="y", terms=[nser.terms.levels("tv"), "rooms"]))
assert_type(fit, nser.Fit)
assert_type(fit.model, nser.Model)
assert_type(fit.bootstrap(n=10).drop("tv").coefficients, pl.DataFrame)
assert_type(fit.cross_validate(folds=5), nser.CrossValidation)
assert_type(nser.survey_mean(eager, ["tv"], psu="psu"), pl.DataFrame)
assert_type(nser.survey_quantile(eager, "tv", [0.2, 0.5], psu="psu"), pl.DataFrame)
assert_type(fit.to_scorecard(points=50), nser.Scorecard)
nser.fit(eager, fit.spec, method="quantile", tau=0.3, errors="bootstrap", replicates=100, seed=1)

pipeline = nser.load_pipeline("run.toml")
assert_type(pipeline, nser.Pipeline)
made = nser.run_pipeline(pipeline, households=eager, people=eager.lazy(), progress=print)
assert_type(made, nser.PipelineResult)
assert_type(made.payments, pl.DataFrame)
assert_type(made.report(), str)
moved = nser.shock(eager, model, area={"area": "a"}, effect={"tv": False}, line=1)
assert_type(moved, nser.Shock[pl.DataFrame])
assert_type(moved.newly_below, pl.DataFrame)
assert_type(
    nser.shock(eager.lazy(), model, area=pl.lit(True), effect=-1.5).newly_below, pl.LazyFrame
)
both_ways = nser.compare_sources(eager, eager.lazy(), id="id", model=model, cost={"desk": 1})
assert_type(both_ways, nser.SourceComparison)
statuses = nser.StatusIndex.load("status.index")
assert_type(statuses.look_up("1", on=date(2024, 6, 1)), nser.Status)
statuses.look_up("1", on=date(2024, 6, 1)).text("fr")  # type: ignore[arg-type]
day = date(2024, 6, 1)
kafaalat = nser.load_programme("kafaalat")
assert_type(kafaalat, nser.Programme)
assert_type(kafaalat.with_rules(off=["cnic_verified"]), nser.Programme)
assert_type(nser.decide(eager, kafaalat, on=day, members=eager.lazy()), pl.DataFrame)
assert_type(nser.decide(eager.lazy(), "kafaalat", on=day, members=eager), pl.LazyFrame)
assert_type(nser.roll_up(eager.lazy(), kafaalat, on=day), pl.LazyFrame)
assert_type(nser.recipients(eager, kafaalat, eager.lazy(), on=day), pl.DataFrame)
assert_type(nser.explain_decision({"pmt_score": 1.0}, kafaalat, on=day), nser.DecisionExplained)
nser.decide(eager, kafaalat, on=day, on_missing="guess")  # type: ignore[arg-type, unused-ignore]
