"""The front door of the engine: what is not here may change. Read by type checkers, and by __init__.py, which loads
from it each name when it is first asked for.
"""

from .analysis.aspects import ASPECTS as ASPECTS
from .analysis.lexicon import KINDS as KINDS, Term as Term, parse_terms as parse_terms
from .analysis.own_terms import (
    KIND_LABELS as KIND_LABELS,
    KnownTerm as KnownTerm,
    OWN_TERMS_PATH as OWN_TERMS_PATH,
    TermDesk as TermDesk,
    add_list as add_list,
    add_synonym as add_synonym,
    open_terms as open_terms,
    remove_term as remove_term,
    restore_term as restore_term,
    set_term as set_term,
    split_words as split_words,
)
from .analysis.own_words import (
    OWN_WORDS_PATH as OWN_WORDS_PATH,
    WordList as WordList,
    change_words as change_words,
    word_lists as word_lists,
)
from .analysis.suggest import Suggestion as Suggestion
from .answer.own_rules import (
    CardChange as CardChange,
    KnownRule as KnownRule,
    OWN_RULES_PATH as OWN_RULES_PATH,
    RuleText as RuleText,
    drop_rule as drop_rule,
    known_rules as known_rules,
    rule_objections as rule_objections,
    set_rule as set_rule,
    switch_rule as switch_rule,
    word_groups as word_groups,
)
from .answer.urgency import urgency_card as urgency_card
from .build import BuildReport as BuildReport, build_generation as build_generation
from .build_job import start_job as start_job
from .comparisons import (
    base_of as base_of,
    forget_comparison as forget_comparison,
    read_comparison as read_comparison,
    subject_of as subject_of,
)
from .curation_check import Preview as Preview, StaleRule as StaleRule, preview as preview, stale_rules as stale_rules
from .engine import Engine as Engine, open_engine as open_engine
from .extract.editor_rules import exact_pattern as exact_pattern
from .extract.marked import site_of as site_of
from .inbox.adding import add_uploads as add_uploads, draft_folder as draft_folder
from .inbox.deciding import (
    discard_batch as discard_batch,
    find_inbox_page as find_inbox_page,
    leave_out_page as leave_out_page,
    put_page_in_again as put_page_in_again,
    take_batch as take_batch,
)
from .inbox.inspecting import inspecting_job as inspecting_job, start_inspecting as start_inspecting
from .inbox.listing import (
    INBOX_FILTERS as INBOX_FILTERS,
    ListedPage as ListedPage,
    fits_filter as fits_filter,
    list_inbox_pages as list_inbox_pages,
    read_summary as read_summary,
)
from .inbox.page_view import PageView as PageView, original_page as original_page, view_page as view_page
from .inbox.unpack import Upload as Upload
from .jobs import (
    Job as Job,
    cancel_job as cancel_job,
    find_job as find_job,
    list_jobs as list_jobs,
    read_log as read_log,
    start_task as start_task,
)
from .own_resources import (
    ResourceChange as ResourceChange,
    ResourceFile as ResourceFile,
    list_resources as list_resources,
    own_text as own_text,
    read_resource as read_resource,
    resource_history as resource_history,
    save_resources as save_resources,
    shipped_text as shipped_text,
    tried_cards as tried_cards,
)
from .proposals import (
    Proposal as Proposal,
    UrgencyEffects as UrgencyEffects,
    adopt as adopt,
    drop as drop,
    effects_are_current as effects_are_current,
    find_proposal as find_proposal,
    list_proposals as list_proposals,
    propose as propose,
    proposed_text as proposed_text,
    start_preview as start_preview,
    urgency_effects as urgency_effects,
)
from .meaning.background import start_when_wanted as start_when_wanted
from .quality_gate.judgement_files import (
    add_to_judgements as add_to_judgements,
    queries_text as queries_text,
    qrels_text as qrels_text,
    topics_text as topics_text,
    write_judgements as write_judgements,
)
from .quality_gate.difference import Difference as Difference, compare_generations as compare_generations
from .ranking.features import ALL_FEATURES as ALL_FEATURES
from .records import (
    Answer as Answer,
    DirectAnswer as DirectAnswer,
    Hit as Hit,
    Query as Query,
    SearchResult as SearchResult,
    Snippet as Snippet,
    SourceTrust as SourceTrust,
    Topic as Topic,
    TopicSection as TopicSection,
    TrustState as TrustState,
    UrgencyCard as UrgencyCard,
)
from .resource_effects import Effects as Effects
from .resources import effective_resources as effective_resources
from .review_queues.making import make_reviews as make_reviews
from .review_queues.marks import (
    Mark as Mark,
    mark_reviewed as mark_reviewed,
    reopen_review as reopen_review,
    review_marks as review_marks,
)
from .review_queues.open_items import (
    Listed as Listed,
    ReviewPage as ReviewPage,
    find_review as find_review,
    review_counts as review_counts,
    review_page as review_page,
)
from .review_queues.queues import QUEUES as QUEUES, Queue as Queue, ReviewItem as ReviewItem, ReviewText as ReviewText
from .replaying import (
    DEFAULT_ANSWERS as DEFAULT_ANSWERS,
    MAX_ANSWERS as MAX_ANSWERS,
    Replay as Replay,
    ReplayedAnswer as ReplayedAnswer,
    ask_for_replay as ask_for_replay,
    default_pair as default_pair,
    read_replays as read_replays,
    replay as replay,
    replay_generation as replay_generation,
    replay_key as replay_key,
)
from .rule_cases import RuleCase as RuleCase, end_case as end_case, list_cases as list_cases
from .rule_effects import (
    RuleEffects as RuleEffects,
    are_few as are_few,
    files_known as files_known,
    find_effects as find_effects,
    find_page as find_page,
    keep_proposal as keep_proposal,
    read_effects as read_effects,
    read_proposal as read_proposal,
)
from .rule_saving import save_site_rule as save_site_rule
from .site_rules import (
    DECISION_LABELS as DECISION_LABELS,
    NewSiteRule as NewSiteRule,
    SiteRule as SiteRule,
    changes_with as changes_with,
    find_site_rule as find_site_rule,
    list_site_rules as list_site_rules,
    new_site_rule as new_site_rule,
    remove_site_rule as remove_site_rule,
)
from .store.audit_log import (
    ACTS as ACTS,
    Act as Act,
    ActFilter as ActFilter,
    act_names as act_names,
    add_act as add_act,
    read_acts as read_acts,
    record_act as record_act,
    terminal_actor as terminal_actor,
)
from .store.batches import (
    Batch as Batch,
    find_batch as find_batch,
    left_out_pages as left_out_pages,
    list_batches as list_batches,
    taken_in as taken_in,
)
from .store.curation import (
    Action as Action,
    NewRule as NewRule,
    Rule as Rule,
    add_rule as add_rule,
    end_rule as end_rule,
    extend_rule as extend_rule,
    list_rules as list_rules,
    rule_from as rule_from,
    utc_day as utc_day,
)
from .store.judged_cases import (
    GRADES as GRADES,
    Grade as Grade,
    JudgedCase as JudgedCase,
    NewGrades as NewGrades,
    case_id as case_id,
    drop_case as drop_case,
    find_judged_case as find_judged_case,
    is_judgeable as is_judgeable,
    list_judged_cases as list_judged_cases,
    save_grades as save_grades,
)
from .store.generations import (
    Manifest as Manifest,
    list_manifests as list_manifests,
    roll_back as roll_back,
    switch_to as switch_to,
)
from .store.pruning import plan_pruning as plan_pruning, prune as prune
from .store.source_trust import (
    TrustEntry as TrustEntry,
    list_trust as list_trust,
    set_trust as set_trust,
    site_key as site_key,
    trust_history as trust_history,
    trust_of as trust_of,
)
from .store.state import Part as Part, read_state as read_state, write_state as write_state
from .store.take_downs import (
    TakenDown as TakenDown,
    list_take_downs as list_take_downs,
    put_back as put_back,
    take_down as take_down,
)
from .text_changes import TextPart as TextPart, changed_parts as changed_parts
