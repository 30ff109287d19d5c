import type { InstanceReport } from '../../src/manifest/instance-report.ts'
import { instanceReportSchema } from '../../src/manifest/instance-report-schema.ts'
import { objectKey } from '../../src/manifest/object-key.ts'
import type { ArtifactStore } from '../../src/store/artifact-store.ts'

/** What the instance told the store last; null before it told anything. */
export async function readReport(
  store: ArtifactStore,
  instance: string,
): Promise<InstanceReport | null> {
  const key = objectKey.instance('production', instance)
  const found = await store.get(key, { maxBytes: 1024 * 1024 })
  if (found.status !== 'found') return null
  return instanceReportSchema.parse(JSON.parse(Buffer.from(found.bytes).toString()))
}
