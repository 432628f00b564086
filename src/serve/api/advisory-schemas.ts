import Type from 'typebox'

const instant = Type.String({ format: 'date-time' })

const coverage = Type.Object({
  depth: Type.String({ description: 'whole: every flaw is expected to be there; thin: some are' }),
  asOf: instant,
  note: Type.String(),
  ageDays: Type.Integer(),
})

const dropped = Type.Array(
  Type.Object({ reason: Type.String(), count: Type.Integer(), examples: Type.Optional(Type.Array(Type.String())) }),
)

const counts = Type.Object({
  in: Type.Integer({ description: 'all that came; it is the sum of the others' }),
  added: Type.Integer(),
  replaced: Type.Integer(),
  unchanged: Type.Integer(),
  kept: Type.Integer({ description: 'left, as what is there is newer' }),
  facts: Type.Integer({ description: 'CVEs known to be exploited, or with an EPSS probability' }),
  dropped: Type.Integer(),
  why: dropped,
})

const sourceRow = Type.Object({
  source: Type.String(),
  part: Type.String({ description: 'an ecosystem of OSV, a release of Alpine; empty where the source is one file' }),
  from: Type.String(),
  state: Type.String({ description: 'good, or failed: what was read before stays in force' }),
  unproven: Type.Boolean({ description: 'never seen to work with the source itself' }),
  triedAt: instant,
  goodAt: Type.Optional(instant),
  ageSeconds: Type.Optional(Type.Integer({ description: 'since it was last good' })),
  problem: Type.Optional(Type.String()),
  failures: Type.Integer({ description: 'in a row' }),
  brought: Type.Optional(
    Type.Object({
      how: Type.String({ description: 'whole, or delta' }),
      at: instant,
      bytes: Type.Integer(),
      listed: Type.Optional(Type.Integer({ description: 'records that the source says it has' })),
      counts,
    }),
  ),
})

export const updateReport = Type.Object({
  revision: Type.String({ description: 'in force now' }),
  changed: Type.Boolean(),
  sources: Type.Array(sourceRow),
})

export const importStatus = Type.Object({
  fetched: Type.Optional(Type.Array(sourceRow)),
  revision: Type.String(),
  date: instant,
  ageDays: Type.Integer(),
  sizeBytes: Type.Integer(),
  records: Type.Integer(),
  withdrawn: Type.Integer(),
  exploited: Type.Integer({ description: 'CVEs known to be exploited' }),
  artifacts: Type.Optional(
    Type.Object({ count: Type.Integer({ description: 'jars known by the hash of their bytes' }), asOf: instant, ageDays: Type.Integer() }),
  ),
  ecosystems: Type.Array(Type.Object({ ecosystem: Type.String(), records: Type.Integer(), coverage: Type.Optional(coverage) })),
  sources: Type.Array(Type.Object({ source: Type.String(), records: Type.Integer(), newest: instant, ageDays: Type.Integer() })),
})

const file = Type.Object({
  path: Type.String(),
  forms: Type.Array(Type.String()),
  read: Type.Integer(),
  added: Type.Integer(),
  replaced: Type.Integer(),
  unchanged: Type.Integer(),
  kept: Type.Integer({ description: 'left, as what is there is newer' }),
  exploited: Type.Integer(),
  probabilities: Type.Integer({ description: 'CVEs with an EPSS probability' }),
  artifacts: Type.Integer({ description: 'jars known by the hash of their bytes' }),
  dropped,
})

export const importReport = Type.Object({
  revision: Type.String({ description: 'in force now' }),
  date: instant,
  changed: Type.Boolean(),
  files: Type.Array(file),
  newlyCovered: Type.Array(Type.String()),
  export: Type.Optional(
    Type.Object(
      {
        name: Type.String(),
        revision: Type.String({ description: 'as it is called where it was made' }),
        createdAt: instant,
        removed: Type.Integer({ description: 'records that were here and are not in it' }),
        signedBy: Type.Optional(Type.String({ description: 'the key; absent where it was let in without' })),
      },
      { description: 'where it was a signed export, which replaces all that was here' },
    ),
  ),
})

export const revisionRow = Type.Object({
  revision: Type.String(),
  date: instant,
  madeAt: Type.Optional(instant),
  sizeBytes: Type.Integer(),
  inForce: Type.Boolean(),
  origin: Type.Optional(
    Type.Object({
      how: Type.String({ description: 'export, or rollback' }),
      revision: Type.String({ description: 'what it is a copy of' }),
      signedBy: Type.Optional(Type.String()),
    }),
  ),
})

export const exportKey = Type.Object({ key: Type.String({ description: 'for advisories.trustedKeys elsewhere' }), id: Type.String() })
export const rollbackReport = Type.Object({ revision: Type.String(), copied: Type.String(), before: Type.String() })
