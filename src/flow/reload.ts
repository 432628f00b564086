import { LazaretError } from '../kit/errors.ts'
import type { Log } from '../kit/log.ts'
import { changedSettings, takeAlive } from '../kit/settings/changed.ts'
import type { Settings } from '../kit/settings/settings.ts'
import { recordAudit, systemActor, type AuditEntry } from '../store/audit.ts'
import type { Records } from '../store/records/records.ts'
import type { RepositorySettingsStore } from '../store/repository-settings.ts'

export interface ReloadParts {
  /** In force; what can change while it serves is changed in it. */
  settings: Settings
  /** Reads them anew: file and environment. Throws SETTING_INVALID. */
  read: () => Settings
  repositorySettings: RepositorySettingsStore
  records: Records
  log: Log
  now: () => number
}

/**
 * Reads the settings again and brings into force those that can change while it serves; the others are named, and wait for a restart.
 * Settings that can't be read change nothing. Either is in the audit log, by name and never by value, before it takes effect.
 * Never throws: what goes wrong is said in the log, and the settings of before stay.
 */
export async function reload(parts: ReloadParts): Promise<void> {
  try {
    await take(parts, wholeOf(parts))
  } catch (error) {
    parts.log.error({ err: error }, 'settings could not be read again: those of before stay in force')
    if (error instanceof LazaretError && error.code === 'SETTING_INVALID') await refuse(parts, error)
  }
}

/** A file that was there and is gone is more likely being written than not wanted any more: without it everything would be at its default. */
function wholeOf({ settings, read }: ReloadParts): Settings {
  const fresh = read()
  if (settings.configFile !== undefined && fresh.configFile === undefined)
    throw new LazaretError('SETTING_INVALID', `${settings.configFile} is not there any more`)
  return fresh
}

async function take({ settings, repositorySettings, records, log, now }: ReloadParts, read: Settings): Promise<void> {
  const { alive, later } = changedSettings(settings, read)
  if (alive.length > 0 || later.length > 0)
    await records.write((tx) => recordAudit(tx, entryOf('done', { changed: alive, needRestart: later }, now())))
  if (later.length > 0) log.warn({ settings: later }, 'these settings are others now, and need a restart')
  log.info({ settings: alive }, alive.length > 0 ? 'settings read again, these are in force' : 'settings read again, nothing takes effect')
  takeAlive(settings, read)
  repositorySettings.declare(settings.repositories, settings.public)
  log.level = settings.log
}

async function refuse({ records, log, now }: ReloadParts, error: LazaretError): Promise<void> {
  try {
    await records.write((tx) => recordAudit(tx, entryOf('refused', { problem: error.message.slice(0, 1000) }, now())))
  } catch (cause) {
    log.error({ err: cause }, 'that settings were refused could not be recorded')
  }
}

function entryOf(result: AuditEntry['result'], detail: Record<string, unknown>, at: number): AuditEntry {
  return { ...systemActor, action: 'settings.reload', subject: 'settings', result, detail, at }
}
