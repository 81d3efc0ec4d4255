/** The file systems of a server’s machine, as SSH tells them. */
import type { Disk, ServerForm } from '../../databases/kinds.js'
import { Meter } from '../../databases/marks.js'
import { bytes } from '../../ui/format.js'
import { Tag } from '../../ui/parts.js'

export function Disks({ of, form }: { readonly of: readonly Disk[] | null; readonly form: ServerForm }) {
  if (of === null || of.length === 0)
    return (
      <p class="quiet">
        {form.ssh_auth === 'none'
          ? 'Nobody has said how its machine is reached by SSH: change the server to say so.'
          : form.ssh_host_key === null
            ? 'The key of its host is not pinned yet: “Test SSH” shows it.'
            : 'Nothing was told yet.'}
      </p>
    )
  return (
    <ul class="disks">
      {of.map(
        ({
          mount,
          filesystem,
          size_bytes: size,
          used_bytes: used,
          available_bytes: left,
          holds_data: data,
        }) => (
          <li key={mount}>
            <Meter label={`${mount} used`} share={size === 0 ? null : used / size}>
              <span class="disk-line">
                <span>
                  <span class="mono">{mount}</span> {data && <Tag tone="accent">its data</Tag>}
                </span>
                <span class="quiet">
                  {bytes(used)} of {bytes(size)}, {bytes(left)} left
                </span>
              </span>
            </Meter>
            <span class="hidden-visually">{filesystem}</span>
          </li>
        ),
      )}
    </ul>
  )
}
