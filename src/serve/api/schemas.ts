import Type from 'typebox'

// Requests and answers of /api/v1. The OpenAPI document is made from these, and they check what comes and what goes.

export const decision = Type.Union(
  ['allow', 'warn', 'deny', 'pending'].map((word) => Type.Literal(word)),
  { description: 'pending: not judged yet' },
)
export const severity = Type.Union(['unknown', 'none', 'low', 'medium', 'high', 'critical'].map((word) => Type.Literal(word)))
export const digest = Type.String({ pattern: '^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$' })
const instant = Type.String({ format: 'date-time' })
const kind = Type.Union(['image', 'artifact', 'cache', 'index'].map((word) => Type.Literal(word)))

export const image = Type.String({ minLength: 1, maxLength: 600, description: 'NAME[:TAG|@DIGEST], without a host' })
export const limit = Type.Integer({ minimum: 1, maximum: 1000, default: 100 })
export const after = Type.String({ maxLength: 600, description: 'the `next` of the page before' })

export const reason = Type.Object({
  rule: Type.String(),
  effect: Type.Union([Type.Literal('deny'), Type.Literal('warn'), Type.Literal('allow')], { description: 'what the policy says of it' }),
  severity,
  message: Type.String(),
  remedy: Type.String(),
  evidence: Type.Record(Type.String(), Type.Unknown()),
})

const base = Type.Object(
  {
    known: Type.Union(['declared', 'image', 'hidden', 'unknown'].map((word) => Type.Literal(word))),
    layers: Type.Optional(Type.Integer({ description: 'how many of the lowest layers are the base’s' })),
    digest: Type.Optional(digest),
    names: Type.Optional(Type.Array(Type.String())),
    others: Type.Optional(Type.Integer({ description: 'more images with the very same layers' })),
    why: Type.Optional(Type.String({ description: 'it is unknown' })),
    claim: Type.Optional(
      Type.Object(
        { name: Type.Optional(Type.String()), digest: Type.Optional(Type.String()) },
        { description: 'what the image says of itself; it proves nothing' },
      ),
    ),
  },
  { description: 'the image that it was built on, by its layers; hidden: one that you may not see' },
)

export const verdict = Type.Object({
  image: Type.String(),
  digest,
  decision,
  policy: Type.Optional(Type.String()),
  policyRevision: Type.Optional(Type.String()),
  evidenceRevision: Type.Optional(Type.Integer()),
  judgedAt: Type.Optional(instant),
  validUntil: Type.Optional(instant),
  reasons: Type.Array(reason),
  alternatives: Type.Array(Type.Object({ reference: Type.String(), digest })),
  children: Type.Array(Type.Object({ digest, platform: Type.Optional(Type.String()), decision })),
  base: Type.Optional(base),
})

export const imageRow = Type.Object({
  repository: Type.String(),
  digest,
  kind,
  mediaType: Type.String(),
  sizeBytes: Type.Integer({ description: 'of the manifest' }),
  pushedAt: instant,
  pushedBy: Type.String(),
  decision,
  tags: Type.Array(Type.String()),
  lastPulledAt: Type.Optional(Type.String({ format: 'date-time' })),
  inUse: Type.Boolean({ description: 'pulled within `inUse.days`' }),
})

export const finding = Type.Object({
  id: Type.String(),
  ids: Type.Array(Type.String()),
  ecosystem: Type.String(),
  packageName: Type.String(),
  packageVersion: Type.String(),
  severity,
  score: Type.Optional(Type.Number()),
  fixedVersion: Type.Optional(Type.String()),
  word: Type.Optional(Type.String({ description: 'of the distribution, on a flaw that it has no fix for: will-not-fix, postponed …' })),
  severities: Type.Optional(
    Type.Array(
      Type.Object({
        id: Type.String(),
        source: Type.String(),
        severity,
        score: Type.Optional(Type.Number()),
        vector: Type.Optional(Type.String()),
        chosen: Type.Boolean(),
      }),
      { description: 'what each source says, the chosen one first' },
    ),
  ),
  severityReason: Type.Optional(Type.String()),
  caveat: Type.Optional(Type.String()),
  knownExploited: Type.Boolean(),
  epss: Type.Optional(
    Type.Object(
      { id: Type.String(), probability: Type.Number(), percentile: Type.Number(), date: Type.String() },
      { description: 'FIRST EPSS: how likely it is to be exploited within 30 days' },
    ),
  ),
  malicious: Type.Boolean(),
  published: Type.Optional(Type.String()),
  sources: Type.Array(Type.Object({ id: Type.String(), source: Type.String() })),
  state: Type.Union([Type.Literal('affected'), Type.Literal('unknown-version')]),
  images: Type.Array(Type.Object({ repository: Type.String(), digest })),
  inBase: Type.Optional(
    Type.Union([Type.Boolean(), Type.Literal('unknown')], { description: 'of one image: whether its base had it already' }),
  ),
})

export const problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'from the list in docs/errors.md' }),
    detail: Type.String(),
  },
  { description: 'RFC 9457' },
)

export function pageOf<T extends Type.TSchema>(items: T) {
  return Type.Object({
    items: Type.Array(items),
    next: Type.Optional(Type.String({ description: 'for `after`; absent on the last page' })),
  })
}
