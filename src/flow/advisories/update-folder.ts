import { ensureDatabase } from '../../advisories/ensure.ts'
import { fetchTools } from '../../advisories/fetch/tools.ts'
import { updateAdvisories, type UpdateReport } from '../../advisories/fetch/update.ts'
import { statusOf } from '../../advisories/status.ts'
import { createOutgoing, type Environment } from '../../kit/outgoing/outgoing.ts'
import type { Settings } from '../../kit/settings/settings.ts'
import { chosenSources } from './chosen.ts'

/**
 * Fetches into a data folder, beside a running server too. In: its settings, the environment with its proxies, sources by name and none
 * for those that are set. Throws as `chosenSources` and `updateAdvisories` do.
 */
export async function updateFolder(
  settings: Settings,
  env: Environment,
  { sources, whole, signal }: { sources: readonly string[]; whole: boolean; signal: AbortSignal },
): Promise<UpdateReport> {
  const chosen = chosenSources(sources, settings)
  await ensureDatabase(settings.data)
  const held = statusOf(settings.data).ecosystems.flatMap(({ ecosystem, coverage }) => (coverage === undefined ? [] : ecosystem))
  const request = { sources: chosen, ecosystems: settings.advisories.ecosystems, held, whole }
  return updateAdvisories(request, settings.data, fetchTools(createOutgoing(settings, env), signal))
}
