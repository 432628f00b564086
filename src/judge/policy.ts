import { createHash } from 'node:crypto'

/** What a policy says of each rule: the worst word of all that apply is the decision. */
export type RuleEffect = 'deny' | 'warn' | 'allow'

export const ruleIds = [
  'malicious-package',
  'known-exploited',
  'critical-with-fix',
  'critical-without-fix',
  'damaged',
  'unreadable',
  'unsupported',
  'unsupported-component',
  'unknown-version',
  'no-packages',
  'stale',
] as const
export type RuleId = (typeof ruleIds)[number]

export interface Policy {
  name: string
  /** Changes with any word of it. */
  revision: string
  /** False: judges and shows, never refuses. */
  enforcing: boolean
  effects: Record<RuleId, RuleEffect>
  /** Advisories older than this, in days, are called stale. */
  staleDays: number
}

const balancedEffects: Record<RuleId, RuleEffect> = {
  'malicious-package': 'deny',
  'known-exploited': 'deny',
  'critical-with-fix': 'deny',
  'critical-without-fix': 'warn',
  damaged: 'deny',
  unreadable: 'deny',
  unsupported: 'deny',
  'unsupported-component': 'allow',
  'unknown-version': 'allow',
  'no-packages': 'allow',
  stale: 'allow',
}

export const policies: Record<'balanced' | 'observe', Policy> = {
  balanced: revised({ name: 'balanced', enforcing: true, effects: balancedEffects, staleDays: 30 }),
  observe: revised({
    name: 'observe',
    enforcing: false,
    effects: Object.fromEntries(
      Object.entries(balancedEffects).map(([rule, effect]) => [rule, effect === 'deny' ? 'warn' : effect]),
    ) as Record<RuleId, RuleEffect>,
    staleDays: 30,
  }),
}

function revised(policy: Omit<Policy, 'revision'>): Policy {
  return { ...policy, revision: createHash('sha256').update(JSON.stringify(policy)).digest('hex').slice(0, 16) }
}
