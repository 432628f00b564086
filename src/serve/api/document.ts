import type { FastifyInstance } from 'fastify'

interface Operation {
  summary?: string
  description?: string
  parameters?: { name: string; required?: boolean; schema?: { description?: string; type?: string } }[]
}

/** The OpenAPI document, and a page that reads it to people without any script. */
export async function documentRoutes(app: FastifyInstance): Promise<void> {
  app.get('/api/openapi.json', { schema: { hide: true } as object }, async () => app.swagger())
  app.get('/api/docs', { schema: { hide: true } as object }, async (_request, reply) => {
    reply.type('text/html; charset=utf-8').header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
    return page(app.swagger().paths as Record<string, Record<string, Operation>>)
  })
}

function page(paths: Record<string, Record<string, Operation>>): string {
  const sections = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => section(path, method, operation)),
  )
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Lazaret API</title>
<style>body{font:16px/1.5 system-ui;max-width:50rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}code{font-family:ui-monospace,monospace}td{padding:.1rem 1rem .1rem 0;vertical-align:top}</style>
<h1>Lazaret API</h1><p>The same as OpenAPI 3.1: <a href="/api/openapi.json">/api/openapi.json</a>. Sign in with Basic or Bearer.</p>${sections.join('')}</html>`
}

function section(path: string, method: string, operation: Operation): string {
  const rows = (operation.parameters ?? []).map(
    ({ name, required, schema }) =>
      `<tr><td><code>${text(name)}</code>${required === true ? ' *' : ''}<td>${text(schema?.description ?? schema?.type ?? '')}`,
  )
  return `<h2><code>${text(method.toUpperCase())} ${text(path)}</code></h2><p>${text(operation.summary ?? '')}. ${text(operation.description ?? '')}</p><table>${rows.join('')}</table>`
}

function text(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
