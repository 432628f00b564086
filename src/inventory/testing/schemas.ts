// For tests only: published schemas. The validator is the one that Fastify brings.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { zstdDecompressSync } from 'node:zlib'

/** In: a file, JSON in zstd. Out: the schema. */
export function storedSchema(url: URL): Record<string, unknown> {
  return JSON.parse(zstdDecompressSync(readFileSync(url)).toString('utf8')) as Record<string, unknown>
}

/** In: a schema, and others that it refers to, by their names. Out: a function from a document to what the schema has against it. */
export function schemaCheck(schema: object, others: Record<string, object> = {}): (document: unknown) => unknown[] {
  const fromFastify = createRequire(createRequire(import.meta.url).resolve('fastify'))
  const fromCompiler = createRequire(fromFastify.resolve('@fastify/ajv-compiler'))
  const { default: Ajv } = fromCompiler('ajv')
  const { default: addFormats } = fromCompiler('ajv-formats')
  const ajv = new Ajv({ strict: false, allErrors: true })
  addFormats(ajv)
  for (const format of ['iri-reference', 'idn-email']) ajv.addFormat(format, true)
  for (const [name, other] of Object.entries(others)) ajv.addSchema(other, name)
  const validate = ajv.compile(schema)
  return (document) => (validate(JSON.parse(JSON.stringify(document))) ? [] : validate.errors)
}
