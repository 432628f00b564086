import type { Command } from './command.ts'

interface Entry {
  summary: string
  load: () => Promise<Command>
}

/** Loaded when called, so that `lazaret --help` answers at once. */
export const commands: Record<string, Entry> = {
  serve: { summary: 'Start the registry: store, scanner, gate and API in one process tree', load: async () => (await import('./commands/serve.ts')).serve },
  config: { summary: 'Print the settings in force and where each came from', load: async () => (await import('./commands/config.ts')).config },
  scan: { summary: 'Look into an image without a server, and say what is wrong with it', load: async () => (await import('./commands/scan.ts')).scan },
  sbom: { summary: 'Print what an image holds, as CycloneDX', load: async () => (await import('./commands/sbom.ts')).sbom },
  why: { summary: 'Say how an image stands on the server, and what to change', load: async () => (await import('./commands/why.ts')).why },
}
