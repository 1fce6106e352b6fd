"""Every constant that decides where the search looks and what it believes, named and documented.

Numbers that only keep arithmetic sound (floors of probabilities, grids of integration, float slack)
and the halves of what is halved stand where they are used.

One frozen value is built by the caller and passed in; nothing reads it from anywhere else. The
whole of it is written into the run, so that a run can be repeated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from agent.bounds import TimeSettings
from agent.confidence import Fit
from tools.keyclips import LengthSettings
from tools.prior import PriorSettings


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """The most a question may cost. A limit that is reached is a status, not an error."""

    visual_tokens: int = 24_000
    """Visual and time-tag tokens of all calls together."""
    looks: int = 24
    """Looks at the film, those for the answer among them (the strip of the survey is not one)."""
    calls: int = 120
    """Calls of the VideoLLM."""
    seconds: float = 600.0
    """Wall time, over all processes that worked on the run. After it no search goes on; an answer
    has one second look and one pass over the evidence all the same."""

    def __post_init__(self) -> None:
        for name in ("visual_tokens", "looks", "calls", "seconds"):
            if getattr(self, name) <= 0:
                raise ValueError(f"a budget of {getattr(self, name)} {name} is no budget")

    def part(self, share: float) -> BudgetSettings:
        """A share of it, 0 to 1, rounded up."""
        return BudgetSettings(
            visual_tokens=math.ceil(self.visual_tokens * share),
            looks=math.ceil(self.looks * share),
            calls=math.ceil(self.calls * share),
            seconds=self.seconds * share,
        )


@dataclass(frozen=True, slots=True)
class SurveySettings:
    """Cues, prior and the glance at its peaks."""

    prior: PriorSettings = field(default_factory=PriorSettings)
    frame_weight: float = 0.5
    """Share of the frames' score against the clips' (1: frames alone)."""
    rewrite_weight: float = 1.0
    """Weight of the model's caption-like rewrite."""
    question_weight: float = 1.0
    """Weight of the question in the words of a caption (the rule-based cue)."""
    option_weight: float = 0.5
    """Weight of the options; they count by their best."""
    cue_weight: float = 0.5
    """Weight of cue objects; they count by their best."""
    time: TimeSettings = field(default_factory=TimeSettings)
    """What the words of a question about time mean."""
    n_candidates: int = 8
    """Peaks of the prior whose small frames make the strip."""
    apart_s: float = 12.0
    """They keep this apart, less where that leaves places empty."""
    strip_pairs: int = 2
    """Pairs of frames of each peak in the strip: two give a span its start and its end; 0: no
    strip, so no request over it."""
    strip_gap_s: float = 3.0
    """Seconds between the pairs of one peak."""
    strip_short_side_px: int = 96
    """Size of the strip's frames."""
    request_share: float = 0.25
    """Most of the search's tokens that asking the model for a look may cost: a small budget would
    die on it."""
    left_out_log_ratio: float = -16.0
    """What the question's own words say against the seconds that it leaves out."""
    request_log_ratio: float = 0.7
    """What the model's request says for its span (natural log of a likelihood ratio), where one
    look can show it: a longer one points at no place."""
    rewrite_tokens: int = 32
    """Most tokens of the rewrite; 0: no such call."""
    option_tokens: int = 32
    """Most tokens of each option's own caption, written by the model in one call; 0: no such call,
    for models that never read its prompt. The rules' captions are there in any case."""
    cue_objects: int = 3
    """Most things that the model names as likely seen near the answer, in one call; 0: no such
    call, for models that never read its prompt."""
    cue_tokens: int = 32
    """Most tokens of their list."""
    request_turns: int = 2
    """Times that the model may ask over what it is shown: again where all was refused."""
    request_tokens: int = 64
    """Most tokens of a reply that asks for a look."""


@dataclass(frozen=True, slots=True)
class SpotlightSettings:
    """Windows and the order in which they are looked at."""

    shortest_s: float = 1.0
    """A shot shorter than this joins its neighbour."""
    longest_s: float = 16.0
    """A longer shot is cut into windows no longer than this, around its key spans; the prior counts
    it as often as it holds such."""
    follow_cuts: bool = True
    """Windows end at cuts, and the prior is over shots; without, the film is taken for one long
    shot."""
    lengths: LengthSettings = field(default_factory=LengthSettings)
    """How long the key spans of a longer shot are."""
    most_anchors: int = 32
    """Peaks of the prior that get a key span."""
    judge_error: float = 0.15
    """How often a look's judgement is taken to err, for the expected gain."""
    most_ranked: int = 400
    """Windows, those of most belief, that are priced and ranked in a turn."""
    looks_per_turn: int = 4
    """Most windows looked at, and judged together, before the belief is used again."""
    turn_chance: float = 0.5
    """A turn for one moment takes no further window where those that it has would show it more
    often than this: one of them then ends the search, and the rest is looked at in vain."""
    same_tiou: float = 0.9
    """Two looks of one size that overlap this much are the same look: never taken twice."""
    covered_share: float = 0.8
    """A window of which one look held this much needs no look of its own."""
    loop_looks: int = 6
    """So many looks in a row …"""
    loop_new_share: float = 0.1
    """… that show less than this share of new seconds are a circle: proposals are dropped and the
    search goes back to what it left."""
    follow_findings: bool = True
    """Windows are ranked by the belief as the findings left it; without, by the prior alone."""
    second_look_first: bool = True
    """The search for one moment breaks off for a second look at what was found where that tells
    more bits a token than any other look; it goes on where the second look disagrees."""
    least_gain_bits: float = 1e-5
    """A window expected to tell less than this is not worth a look."""
    least_chance: float = 0.01
    """The search for one moment stops where all looks that are left together would show it less
    often than this."""
    look_price: float = 0.0
    """What a look costs, as the chance to find the evidence that makes up for it: in the search for
    one moment no look is taken that would show it less often. Where nothing stands out, all are. 0:
    only the budget counts."""

    def __post_init__(self) -> None:
        for name in ("shortest_s", "longest_s"):
            if getattr(self, name) <= 0:
                raise ValueError(f"spotlight.{name} of {getattr(self, name)} is no length")
        for name in ("look_price", "turn_chance"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"spotlight.{name} of {getattr(self, name)} is no chance (0 to 1)")
        if self.looks_per_turn < 1:
            raise ValueError(f"spotlight.looks_per_turn of {self.looks_per_turn} looks at nothing")


@dataclass(frozen=True, slots=True)
class LookSettings:
    """Density and size."""

    short_side_px: int = 256
    """Size of an ordinary look."""
    high_short_side_px: int = 384
    """Size of a closer look and of the answer's clips."""
    still_fps: float = 0.5
    """Frames a second of a still stretch, where nobody asks for a density."""
    lively_fps: float = 4.0
    """Frames a second of a lively one."""
    lively_motion: float = 0.08
    """Mean picture change a second (0..1) that counts as fully lively."""
    fewest_frames: int = 4
    """Fewest frames of a look whose density motion decides …"""
    most_frames: int = 8
    """… and most."""
    most_requested_frames: int = 32
    """Frames of a look that the model asks for."""
    most_fps: float = 30.0
    """Frames a second that it may ask for (DynFrame's own bound)."""
    widest_gap_s: float = 8.0
    """A look whose frames stand further apart than this is a glance: it says where to look, not
    that the evidence is there or is not. No window of the queue's own is looked at so sparsely."""
    tell_delivered: bool = True
    """Whether a model that asked for a look is told in the prompt what it got, or why it got none.
    Not for models that never read such a line."""
    thumbnails_per_look: int = 32
    """Frames of each look that the trace keeps as small JPEGs: all of them, so that it can be read
    without the film."""
    thumbnail_height_px: int = 96
    """Their height."""

    def __post_init__(self) -> None:
        if self.most_fps <= 0:
            raise ValueError(f"look.most_fps of {self.most_fps} allows no look")


@dataclass(frozen=True, slots=True)
class ReflectSettings:
    """What a judgement does to the belief, and when it is enough."""

    judge: bool = True
    """Every look of the search is judged; without, it ends after one turn, whose looks count by the
    prior."""
    fit: Fit = field(default_factory=Fit)
    """How P(yes) is read where no fit is stored for model and prompt."""
    most_log_ratio: float = 4.0
    """No single look says more for its span than e^this …"""
    least_log_ratio: float = -4.0
    """… nor more against it than e^this: what is there may be overlooked, however sure the no."""
    glance_log_ratio: float = 0.4
    """A look whose frames stand far apart weighs no more than e^±this: it misses most of what is
    there, and a few frames speak for all that lies between them."""
    related_gain: float = 0.1
    """Share of a positive finding that reaches the seconds beside it."""
    related_s: float = 8.0
    """How far."""
    ambiguous: tuple[float, float] = (0.3, 0.7)
    """Confidences between these are looked at again: in halves, or closer."""
    moves: bool = True
    """Whether they are, and what was found is followed to the side inside a long shot."""
    split_longer_s: float = 6.0
    """An ambiguous window longer than this is split; a shorter one is looked at closer."""
    accept: float = 0.5
    """Confidence from which a finding counts as showing the evidence."""
    same_share: float = 0.5
    """Findings that share this much of the shorter of them are of one window: a second look stands
    for the first, and of several moments the last finding counts."""
    replaced_tiou: float = 0.5
    """Any other look stands for an earlier one that overlaps it this much …"""
    replaced_share: float = 0.75
    """… and fills this share of it: what stands around the evidence makes a wider look doubt what a
    closer one had shown."""
    answer_risk: float = 0.2
    """The search stops to answer where the evidence is not in its best window with this probability
    or less; the answer then looks twice before it holds."""
    absent_risk: float = 0.05
    """The search stops, and finds nothing, where the film holds the evidence all the same with this
    probability or less."""


@dataclass(frozen=True, slots=True)
class VerifySettings:
    """The second look at a finding."""

    fit: Fit = field(default_factory=lambda: Fit(first=0.6, second=0.5, named=0.5))
    """How both looks are read together where no fit is stored: a little more than the mean of their
    logits, since both err on the same things. A description speaks softly: whoever was not measured
    may name things in other words."""
    describe: bool = True
    """Whether the second look is described as well: a call more."""
    most_of_rest: float = 0.5
    """Share of the visual tokens left that it may cost: the passes over the evidence follow."""
    most_log_ratio: float = 6.0
    """Both looks together weigh no more than e^±this."""

    def __post_init__(self) -> None:
        if not 0 < self.most_of_rest <= 1:
            raise ValueError(f"verify.most_of_rest of {self.most_of_rest} is no share (0 to 1)")


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """From evidence to an answer."""

    clips: int = 1
    """Best findings shown for a question about one moment."""
    near_best: float = 0.6
    """A further finding is shown only with at least this share of the best one's belief."""
    share_of_budget: float = 0.25
    """Share of the visual tokens, looks and calls that is kept back for the answer: for the second
    look at a finding and the passes over the evidence."""
    tokens: int = 48
    """Most tokens of a reply."""
    most_absent: float = 0.6
    """Probability that the film does not hold it, above which a reply is not an answer."""
    least_absent: float = 0.5
    """Probability from which on "not found" is said; below it what was seen twice is given as a
    guess, and marked as one. …"""
    least_looked: float = 0.5
    """… A search that the budget ended without a guess says it only where looks covered this share
    of the prior belief: else nobody knows."""
    passes: int = 3
    """Times that the evidence is shown at most: where two agree, the third is spared. 1: the first
    reply stands."""
    agreeing: int = 2
    """So many passes that agree are enough."""
    mean_share: float = 0.5
    """Where all passes are spent and disagree, an option stands with a higher mean probability."""
    whole_share: float = 0.9
    """A finding of which this much lies in one shot speaks for the whole shot."""
    alike_share: float = 0.5
    """In a longer shot it speaks for the seconds around that look like it: their cosine with its
    likeliest second is at least this far from the shot's own crowd (0) to one (1)."""
    alike_crowd: float = 0.95
    """Where that crowd, the lower quartile of the cosines around, is nearer than this, all of it
    looks alike and nothing says where it ends."""
    once_share: float = 0.5
    """Share of the confidence that is left where no second look could be paid."""
    region_share: float = 0.3
    """A "when" in a long shot reaches as far as the belief is at least this share of its mean in
    the finding."""
    not_enough_log_ratio: float = -1.5
    """What a "not enough" says against its span."""
    disagree_log_ratio: float = -0.5
    """What two passes that disagree say against their span."""
    ask_for_looks: bool = True
    """Where passes do not settle it and the search goes on, the model is asked what it wants to see
    next. Not for models that never learnt to say so."""
    option_not_enough: bool = True
    """Beside the options stands that the evidence is not enough. Not for models that never learnt
    to say so."""
    second_looks: int = 3
    """Second looks taken one after the other, at least one, where the search has ended and they
    disagree or all that was seen leaves the film in doubt."""
    one_stretch_share: float = 0.5
    """Of several things whose order is asked for, moments that share this much of the shorter one
    are one stretch, of which no order is known: spans of one shot differ at their edges only, those
    of neighbouring shots share no more than an edge."""
    attempts: int = 8
    """Answers tried before the search ends with the best guess."""
    overview_clips: int = 16
    """Most clips that stand for the film in a question about the whole of it."""
    neighbour_alone: bool = False
    """Order questions: show the shot beside the anchor alone and ask what it shows. For models too
    small to relate two clips; the anchor was verified and the cut is known."""

    def __post_init__(self) -> None:
        for name in ("passes", "agreeing"):
            if getattr(self, name) < 1:
                raise ValueError(f"answer.{name} of {getattr(self, name)} is no number of passes")


@dataclass(frozen=True, slots=True)
class SeveralSettings:
    """Counts and "all the times"."""

    temperature: float = 0.5
    """In place of the prior's: how sharply the vectors place one of several moments."""
    prior_mean: float = 5.0
    """Moments expected before anything is seen (somebody who asks for several expects some)."""
    prior_shape: float = 1.0
    """Shape of the gamma prior of their number: 1 leaves it wide open."""
    accept: float = 0.5
    """Probability from which a window is looked at a second time, and after both looks shows one of
    the moments. The fit of two looks knows no windows that the first look was against: of those it
    says too much."""
    least_chance: float = 0.02
    """What a look costs: none is taken that is expected to find less of a further moment, unless
    nothing stands out."""
    merge_gap_s: float = 0.5
    """Findings of one shot nearer than this are one moment."""

    def __post_init__(self) -> None:
        if not 0 <= self.least_chance <= 1:
            raise ValueError(f"several.least_chance of {self.least_chance} is no chance (0 to 1)")


@dataclass(frozen=True, slots=True)
class WordsSettings:
    """What the film's words do to a question."""

    least_share: float = 0.5
    """A passage that holds less of what is asked for is not one."""
    sure_share: float = 0.75
    """From here on a passage may be the answer, or name the moment to look at."""
    alike_share: float = 0.1
    """Passages that hold at most so much less than the best one match as well as it does."""
    least_held: float = 0.6
    """Share of a reply's words that the lines must hold."""
    passages: int = 8
    """Passages that raise the belief around them."""
    log_ratio: float = 1.0
    """What a passage that holds all of it says for its seconds (natural log)."""
    around_s: float = 4.0
    """Seconds beside a passage that it speaks for."""


@dataclass(frozen=True, slots=True)
class AskSettings:
    """All settings of a question."""

    budget: BudgetSettings = field(default_factory=BudgetSettings)
    survey: SurveySettings = field(default_factory=SurveySettings)
    spotlight: SpotlightSettings = field(default_factory=SpotlightSettings)
    look: LookSettings = field(default_factory=LookSettings)
    reflect: ReflectSettings = field(default_factory=ReflectSettings)
    verify: VerifySettings = field(default_factory=VerifySettings)
    answer: AnswerSettings = field(default_factory=AnswerSettings)
    several: SeveralSettings = field(default_factory=SeveralSettings)
    words: WordsSettings = field(default_factory=WordsSettings)
    belief_bins: int = 200
    """Length of the beliefs kept in the trace."""
