import type { Command } from './command.ts'

interface Entry {
  summary: string
  load: () => Promise<Command>
}

/** Loaded when called, so that `lazaret --help` answers at once. */
export const commands: Record<string, Entry> = {
  serve: {
    summary: 'Start the registry: store, scanner, gate and API in one process tree',
    load: async () => (await import('./commands/serve.ts')).serve,
  },
  config: {
    summary: 'Print the settings in force and where each came from',
    load: async () => (await import('./commands/config.ts')).config,
  },
  scan: {
    summary: 'Look into an image without a server, and say what is wrong with it',
    load: async () => (await import('./commands/scan.ts')).scan,
  },
  diff: {
    summary: 'Say what one image has otherwise than another: packages, flaws, files, config',
    load: async () => (await import('./commands/diff.ts')).diff,
  },
  sbom: { summary: 'Print what an image holds, as CycloneDX or SPDX', load: async () => (await import('./commands/sbom.ts')).sbom },
  cache: {
    summary: 'Say what is kept of layers that were read, or remove it',
    load: async () => (await import('./commands/cache.ts')).cache,
  },
  why: { summary: 'Say how an image stands on the server, and what to change', load: async () => (await import('./commands/why.ts')).why },
  login: { summary: 'Sign in to a server, for this command and for Docker', load: async () => (await import('./commands/login.ts')).login },
  logout: { summary: 'Forget what login kept', load: async () => (await import('./commands/logout.ts')).logout },
  users: { summary: 'Add people, and say what each may do', load: async () => (await import('./commands/users.ts')).users },
  robots: {
    summary: 'Add programs that sign in with a token, and say what each may do',
    load: async () => (await import('./commands/robots.ts')).robots,
  },
  advisories: {
    summary: 'Bring in what is known of flaws, and say how old it is',
    load: async () => (await import('./commands/advisories.ts')).advisories,
  },
  repositories: {
    summary: 'Say whose repositories are, who may see them, and which tags stay',
    load: async () => (await import('./commands/repositories.ts')).repositories,
  },
  tags: { summary: 'Say where a tag pointed, and put it back', load: async () => (await import('./commands/tags.ts')).tags },
  audit: {
    summary: 'Show that the audit log is whole, or write it out',
    load: async () => (await import('./commands/audit.ts')).audit,
  },
  doctor: {
    summary: 'Say what is wrong with this installation, and how to mend it',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  health: {
    summary: 'Ask the server of these settings, on this machine, whether it is ready',
    load: async () => (await import('./commands/health.ts')).health,
  },
  jobs: {
    summary: 'List what the server has to do, and what it could not do',
    load: async () => (await import('./commands/jobs.ts')).jobs,
  },
  backup: {
    summary: 'Copy records, blobs and keys, while the server serves; or verify such a copy',
    load: async () => (await import('./commands/backup.ts')).backup,
  },
  restore: {
    summary: 'Put a backup into an empty data folder, each byte checked',
    load: async () => (await import('./commands/restore.ts')).restore,
  },
  gc: {
    summary: 'Free what nothing needs any more, or put back what was deleted by mistake',
    load: async () => (await import('./commands/gc.ts')).gc,
  },
  scrub: {
    summary: 'Say how far stored blobs were read again, and which are damaged',
    load: async () => (await import('./commands/scrub.ts')).scrub,
  },
}
