import type { Policy } from '../../judge/policy.ts'
import type { Verdict } from '../../model/verdict.ts'

/** A build cache is never handed to a puller; the gate lets those read it who may push there. */
export function cacheVerdict(policy: Policy, now: Date): Verdict {
  return {
    decision: 'deny',
    policy: policy.name,
    policyRevision: policy.revision,
    evidenceRevision: 0,
    judgedAt: now.toISOString(),
    reasons: [
      {
        rule: 'build-cache',
        effect: 'deny',
        severity: 'unknown',
        message: 'it is a build cache, read by those who may push here',
        remedy: 'Pull the image that was built with it',
        evidence: {},
      },
    ],
  }
}
