import type { FastifySchemaCompiler } from 'fastify'
import type { FastifySchemaValidationError } from 'fastify/types/schema.js'
import type Type from 'typebox'
import { Compile } from 'typebox/compile'

/**
 * For bodies, which are taken as they are: nothing is turned into another type, and nothing that the schema does not name is
 * dropped in silence, as Fastify does by default. Not for queries, where everything comes as text.
 */
export const exactBody: FastifySchemaCompiler<unknown> = ({ schema, httpPart }) => {
  if (httpPart !== 'body') throw new TypeError(`a route with a body has its parameters there, not in the ${httpPart ?? 'path'}`)
  const checked = Compile(schema as Type.TSchema)
  return (body: unknown) => (checked.Check(body) ? { value: body } : { error: new Error(problemOf(checked.Errors(body))) })
}

/** For queries. Out: what is wrong with which parameter, never with its value. */
export function parameterProblem(errors: FastifySchemaValidationError[]): Error {
  const first = errors[0]
  const extra = errors.find(({ keyword }) => keyword === 'additionalProperties')
  if (extra !== undefined) return new Error(`there is no parameter ${String(extra.params['additionalProperty']).slice(0, 60)}`)
  const name = first?.instancePath.split('/')[1]?.slice(0, 60) ?? 'the query'
  const words = errors.flatMap(({ keyword, params }) => (keyword === 'const' ? [String(params['allowedValue'])] : []))
  return new Error(words.length > 0 ? `${name} is one of ${words.join(', ')}` : `${name} ${first?.message ?? 'does not fit'}`)
}

interface Misfit {
  keyword: string
  instancePath: string
  message: string
  params: { additionalProperties?: unknown; requiredProperties?: unknown }
}

/** Never what was sent, save the names of fields: it may be a password. */
function problemOf(misfits: Iterable<unknown>): string {
  const all = [...misfits] as Misfit[]
  const misfit = all.find(({ keyword }) => keyword === 'additionalProperties') ?? all[0]
  if (misfit === undefined) return 'the body does not fit'
  const names = misfit.params.additionalProperties ?? misfit.params.requiredProperties
  const named = Array.isArray(names) ? `: ${names.slice(0, 5).join(', ').slice(0, 200)}` : ''
  return `body${misfit.instancePath.slice(0, 100)} ${misfit.message}${named}`
}
