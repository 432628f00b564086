import { catalogue, type SettingPath } from './catalogue.ts'
import type { Given } from './given.ts'
import { parseHeaders } from './key-values.ts'
import { type Kind, Misfit } from './kinds.ts'

/** The variables that OpenTelemetry has for what is a setting here; of two, the first that is set counts. */
const variables: readonly (readonly [path: SettingPath, ...names: string[]])[] = [
  ['tracing.headers', 'OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'OTEL_EXPORTER_OTLP_HEADERS'],
  ['tracing.serviceName', 'OTEL_SERVICE_NAME'],
  ['tracing.resourceAttributes', 'OTEL_RESOURCE_ATTRIBUTES'],
  ['tracing.sampler', 'OTEL_TRACES_SAMPLER'],
  ['tracing.sampleRatio', 'OTEL_TRACES_SAMPLER_ARG'],
]

type Env = Readonly<Record<string, string | undefined>>

/**
 * In: the environment. Out: settings that OpenTelemetry's variables give (opentelemetry.io, "Environment Variable Specification",
 * "OpenTelemetry Protocol Exporter"). They are often set for a whole cluster: what can't be used is left out, with its reason in `notes`, and
 * keeps nothing from starting.
 */
export function fromOpenTelemetry(env: Env, folder: string, notes: string[]): Given[] {
  const given: Given[] = []
  const endpoint = endpointOf(env, notes)
  if (endpoint !== undefined) take('tracing.endpoint', endpoint.name, endpoint.url)
  for (const [path, ...names] of variables) {
    const name = names.find((candidate) => isSet(env, candidate))
    if (name !== undefined) take(path, name, env[name] ?? '')
  }
  return given

  function take(path: SettingPath, name: string, text: string): void {
    const kind: Kind<unknown> = catalogue[path].kind
    const raw = kind.fromText?.(text) ?? text
    try {
      kind.read(raw, { folder, env })
    } catch (error) {
      if (!(error instanceof Misfit)) throw error
      notes.push(`${name} is not used: it must be ${error.message}`)
      return
    }
    if (path === 'tracing.headers' && parseHeaders(text) === undefined) notes.push(`${name} is not used: it must be name=value,…`)
    else given.push({ path, raw, folder, from: name, name })
  }
}

function endpointOf(env: Env, notes: string[]): { name: string; url: string } | undefined {
  const name = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'].find((candidate) => isSet(env, candidate))
  if (name === undefined || env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return undefined
  const exporter = env['OTEL_TRACES_EXPORTER'] ?? ''
  if (exporter === 'none') return undefined
  if (exporter !== '' && exporter !== 'otlp') {
    notes.push(`${name} is not used: OTEL_TRACES_EXPORTER asks for another exporter than otlp`)
    return undefined
  }
  const protocol = env['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] ?? env['OTEL_EXPORTER_OTLP_PROTOCOL'] ?? ''
  if (protocol === 'grpc') {
    notes.push(`${name} is not used: the protocol that is asked for is grpc, and traces go out by HTTP alone (tracing.endpoint)`)
    return undefined
  }
  const base = (env[name] ?? '').trim()
  return { name, url: name === 'OTEL_EXPORTER_OTLP_ENDPOINT' ? `${base.replace(/\/+$/, '')}/v1/traces` : base }
}

function isSet(env: Env, name: string): boolean {
  return (env[name] ?? '') !== ''
}
