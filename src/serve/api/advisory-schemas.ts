import Type from 'typebox'

const instant = Type.String({ format: 'date-time' })

const coverage = Type.Object({
  depth: Type.String({ description: 'whole: every flaw is expected to be there; thin: some are' }),
  asOf: instant,
  note: Type.String(),
  ageDays: Type.Integer(),
})

export const importStatus = Type.Object({
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
  dropped: Type.Array(Type.Object({ reason: Type.String(), count: Type.Integer(), examples: Type.Optional(Type.Array(Type.String())) })),
})

export const importReport = Type.Object({
  revision: Type.String({ description: 'in force now' }),
  date: instant,
  changed: Type.Boolean(),
  files: Type.Array(file),
  newlyCovered: Type.Array(Type.String()),
})
