import type { Finding } from '../model/advisory.ts'
import { severities } from '../model/advisory.ts'
import type { ChildVerdict, Decision, Doubt, Evidence, Reason, Verdict } from '../model/verdict.ts'
import type { Policy, RuleEffect, RuleId } from './policy.ts'

/** A reason before the policy has said what it means. */
type Cause = Omit<Reason, 'effect'> & { rule: RuleId }

const dayMs = 86_400_000
/** Most reasons kept in a verdict; the counts in the messages stay whole. */
const mostReasons = 50

/**
 * Evidence and policy in, verdict out: nothing else is looked at, so that the same evidence is always judged alike.
 * In: the evidence with its revision, the policy, the instant. Out: the verdict; `deny` wherever any rule says so.
 */
export function judge(evidence: Evidence, evidenceRevision: number, policy: Policy, now: Date): Verdict {
  const causes = [...findingCauses(evidence.findings), ...doubtCauses(evidence), ...staleCauses(evidence, policy, now)]
  const reasons = causes
    .map((cause): Reason & Cause => ({ ...cause, effect: effectOf(policy, cause.rule) }))
    .toSorted((a, b) => rank(b) - rank(a))
    .slice(0, mostReasons)
  return {
    decision: reasons[0]?.effect ?? 'allow',
    policy: policy.name,
    policyRevision: policy.revision,
    evidenceRevision,
    judgedAt: now.toISOString(),
    reasons,
  }
}

/** A policy that says nothing of a rule does not allow what it found. */
function effectOf(policy: Policy, rule: RuleId): RuleEffect {
  const effects: Partial<Policy['effects']> = policy.effects
  return effects[rule] ?? 'deny'
}

/**
 * An index: allowed where at least one platform child is, denied where all are, pending until one is allowed or all are
 * known. In: its children without attestations; a child that is not here counts as denied.
 */
export function judgeIndex(children: (ChildVerdict & { reasons: Reason[] })[], policy: Policy, now: Date): Verdict {
  const decision = decideIndex(children, policy)
  return {
    decision,
    policy: policy.name,
    policyRevision: policy.revision,
    evidenceRevision: 0,
    judgedAt: now.toISOString(),
    reasons: decision === 'deny' || decision === 'warn' ? indexReasons(children, decision) : [],
  }
}

function decideIndex(children: ChildVerdict[], policy: Policy): Decision {
  const has = (decision: Decision) => children.some((child) => child.decision === decision)
  if (has('allow')) return 'allow'
  if (has('warn')) return 'warn'
  if (has('pending')) return 'pending'
  return policy.enforcing ? 'deny' : 'warn'
}

/** The reasons of the children that stand as the index does, each once, with the platforms that it is about. */
function indexReasons(children: (ChildVerdict & { reasons: Reason[] })[], decision: Decision): Reason[] {
  const byMessage = new Map<string, { reason: Reason; platforms: string[] }>()
  for (const child of children) {
    for (const reason of child.decision === decision ? child.reasons.filter(({ effect }) => effect === decision) : []) {
      const entry = byMessage.get(reason.message) ?? { reason, platforms: [] }
      entry.platforms.push(child.platform ?? child.digest)
      byMessage.set(reason.message, entry)
    }
  }
  const reasons = [...byMessage.values()].map(({ reason, platforms }) => ({ ...reason, evidence: { ...reason.evidence, platforms } }))
  return reasons.length === 0 ? [emptyIndexReason(children, policyEffect(decision))] : reasons.slice(0, mostReasons)
}

function policyEffect(decision: Decision): Reason['effect'] {
  return decision === 'warn' ? 'warn' : 'deny'
}

function emptyIndexReason(children: ChildVerdict[], effect: Reason['effect']): Reason {
  return {
    rule: 'index',
    effect,
    severity: 'unknown',
    message: children.length === 0 ? 'the index lists no image' : 'none of its images is here',
    remedy: 'Push the index again with the images that it lists',
    evidence: { children: children.slice(0, 50).map((child) => child.platform ?? child.digest) },
  }
}

/** Worst first: what denies, then by severity; within one, the rule that comes first. */
function rank(reason: Reason & Cause): number {
  const effect = { deny: 2, warn: 1, allow: 0 }[reason.effect]
  const order: RuleId[] = ['malicious-package', 'known-exploited', 'critical-with-fix']
  const place = order.indexOf(reason.rule)
  return effect * 1000 + (place < 0 ? 0 : (order.length - place) * 100) + severities.indexOf(reason.severity)
}

function findingCauses(findings: Finding[]): Cause[] {
  return findings.flatMap((finding) => {
    const rule = ruleOf(finding)
    return rule === undefined ? [] : [findingCause(finding, rule)]
  })
}

function ruleOf(finding: Finding): RuleId | undefined {
  if (finding.state === 'unknown-version') return undefined // spoken of as a doubt
  if (finding.malicious) return 'malicious-package'
  if (finding.knownExploited) return 'known-exploited'
  if (finding.severity !== 'critical') return undefined
  return finding.fixedVersion === undefined ? 'critical-without-fix' : 'critical-with-fix'
}

function findingCause(finding: Finding, rule: RuleId): Cause {
  const mark = { 'malicious-package': 'malicious', 'known-exploited': 'known exploited' }[rule as string] ?? 'critical'
  const fix = finding.fixedVersion === undefined ? noFixText(finding) : `fixed in ${finding.fixedVersion}`
  const remedy = finding.malicious
    ? `Remove ${finding.packageName}: the package itself is malicious`
    : finding.fixedVersion === undefined
      ? `No fixed version is known: remove ${finding.packageName}, or use another image`
      : `Update ${finding.packageName} from ${finding.packageVersion} to ${finding.fixedVersion} or later`
  return {
    rule,
    severity: finding.severity,
    message: `${finding.id} in ${finding.packageName} ${finding.packageVersion} (${mark}), ${fix}`,
    remedy,
    evidence: {
      id: finding.id,
      ids: finding.ids,
      package: finding.packageName,
      version: finding.packageVersion,
      ecosystem: finding.ecosystem,
      ...(finding.fixedVersion === undefined ? {} : { fixedVersion: finding.fixedVersion }),
      ...(finding.score === undefined ? {} : { score: finding.score }),
      knownExploited: finding.knownExploited,
      ...(finding.word === undefined ? {} : { word: finding.word }),
      ...(finding.epss === undefined ? {} : { epss: finding.epss }),
      ...(finding.severityReason === undefined ? {} : { severityReason: finding.severityReason }),
    },
  }
}

function noFixText({ word }: Finding): string {
  return word === undefined ? 'no fix yet' : `no fix (${word.replaceAll('-', ' ')}, says the distribution)`
}

const doubtWords: Record<Doubt, { message: (detail: string) => string; remedy: string }> = {
  damaged: {
    message: (detail) => `it is damaged on this server's disk: ${detail}`,
    remedy: 'Push the image again: whole bytes take the place of the damaged ones',
  },
  unreadable: {
    message: (detail) => `it cannot be read: ${detail}`,
    remedy: 'Push the image again; a layer must be a tar archive, plain or by gzip or zstd',
  },
  unsupported: {
    message: (detail) => `it cannot be judged: ${detail}`,
    remedy: 'Use a base image of a distribution that is supported, or import advisories for this one: lazaret advisories import',
  },
  'unsupported-component': {
    message: (detail) => `no advisories judge ${detail}`,
    remedy: 'Install the program from a distribution package',
  },
  'unknown-version': { message: (detail) => `the version of ${detail} cannot be compared`, remedy: 'Use a released version' },
  'no-packages': { message: (detail) => detail, remedy: 'Nothing to do: there is no package to judge' },
  stale: { message: (detail) => detail, remedy: 'Bring newer advisories: lazaret advisories import' },
}

function doubtCauses(evidence: Evidence): Cause[] {
  const kinds = [...new Set(evidence.doubts.map((note) => note.doubt))]
  return kinds.map((doubt) => {
    const details = evidence.doubts.filter((note) => note.doubt === doubt).map((note) => note.detail)
    const more = details.length > 1 ? ` (and ${details.length - 1} more)` : ''
    return {
      rule: doubt,
      severity: 'unknown',
      message: doubtWords[doubt].message(`${details[0] ?? ''}${more}`),
      remedy: doubtWords[doubt].remedy,
      evidence: { details: details.slice(0, 20) },
    }
  })
}

/** Only where something was judged by advisories at all. */
function staleCauses(evidence: Evidence, policy: Policy, now: Date): Cause[] {
  const ageDays = Math.floor((now.getTime() - Date.parse(evidence.advisoryDate)) / dayMs)
  if (evidence.packages.length === 0 || ageDays <= policy.staleDays) return []
  return [
    {
      rule: 'stale',
      severity: 'unknown',
      message: `judged by advisories that are ${ageDays} days old`,
      remedy: doubtWords.stale.remedy,
      evidence: { advisoryDate: evidence.advisoryDate, ageDays },
    },
  ]
}
