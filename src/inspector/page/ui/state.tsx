/** A state as lists show it: what it is as a tag, its regions beside it, and those that are worth a look in their colour. */
import { Tag } from './parts.js'
import { toneOfState } from './words.js'

/** `of`: as steps and rows spell it, `online{presence: lapsed, duty: full}`. */
export function State({ of }: { of: string }) {
  const at = of.indexOf('{')
  if (at < 0) return <Tag tone={toneOfState(of)}>{of}</Tag>
  const regions = of.slice(at + 1, -1).split(', ')
  return (
    <span class="state">
      <Tag tone={toneOfState(of)}>{of.slice(0, at)}</Tag>
      {regions.map(region => {
        const [name, value = ''] = region.split(': ')
        const tone = toneOfState(value)
        return (
          <span key={name} class="state-region">
            <span class="quiet">{name}</span>{' '}
            {tone === 'warn' || tone === 'bad' ? <Tag tone={tone}>{value}</Tag> : value}
          </span>
        )
      })}
    </span>
  )
}
