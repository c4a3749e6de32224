//! A settled plan as it is written down.

use super::{Settled, SettledTask};
use crate::digest::Digest;
use crate::engine::{EntryFacts, SeenTask, Standing};
use crate::glob::SetId;

const FORMAT: &[u8] = b"pipec settled 3\n";
const FORMAT_OF_OPEN: &[u8] = b"pipec settled open 1\n";

impl Settled {
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (checksum, body) = checked(bytes, FORMAT)?;
        let mut reader = Reader(body);
        let settled = Self {
            pipeline: reader.text()?,
            ir_digest: reader.text()?,
            warnings: reader.number()?,
            targets: reader.list(Reader::text)?,
            params: reader
                .list(|reader| Some((reader.text()?, reader.text()?)))?
                .into_iter()
                .collect(),
            limit_ms: reader.number()?,
            tasks: reader.list(SettledTask::decode)?,
            is_divisible: reader.number()? != 0,
            standing: Standing {
                plan: reader.digest()?,
                generation: reader.digest()?,
            },
            successes: reader.digest()?,
            variables: reader.list(Reader::text)?,
            values: reader.digest()?,
            ends_ms: reader.number()?,
            checksum,
        };
        reader.0.is_empty().then_some(settled)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut writer = Writer(Vec::new());
        writer.text(&self.pipeline);
        writer.text(&self.ir_digest);
        writer.number(self.warnings);
        writer.number(self.targets.len() as u64);
        for target in &self.targets {
            writer.text(target);
        }
        writer.number(self.params.len() as u64);
        for (name, value) in &self.params {
            writer.text(name);
            writer.text(value);
        }
        writer.number(self.limit_ms);
        writer.number(self.tasks.len() as u64);
        for task in &self.tasks {
            task.encode(&mut writer);
        }
        writer.number(u64::from(self.is_divisible));
        for digest in [self.standing.plan, self.standing.generation, self.successes] {
            writer.digest(digest);
        }
        writer.number(self.variables.len() as u64);
        for variable in &self.variables {
            writer.text(variable);
        }
        writer.digest(self.values);
        writer.number(self.ends_ms);
        with_checksum(FORMAT, &writer.0)
    }

    /// Takes in what `encode_open` gave of the same plan. None for anything else.
    pub(super) fn decode_open(&mut self, bytes: &[u8]) -> Option<()> {
        let (_, body) = checked(bytes, FORMAT_OF_OPEN)?;
        let mut reader = Reader(body);
        if reader.digest()? != self.checksum {
            return None;
        }
        let successes = reader.digest()?;
        let places = reader.list(Reader::number)?;
        let mut open = Vec::with_capacity(places.len());
        for place in places {
            let place = usize::try_from(place).ok()?;
            open.push(place);
            self.tasks.get(place)?;
        }
        reader.0.is_empty().then_some(())?;
        for place in open {
            self.tasks[place].is_open = true;
        }
        self.successes = successes;
        Some(())
    }

    /// Which tasks are open, and what else is not as it was when the plan was written down.
    pub(super) fn encode_open(&self) -> Vec<u8> {
        let mut writer = Writer(Vec::new());
        writer.digest(self.checksum);
        writer.digest(self.successes);
        let places = (0_u64..).zip(&self.tasks);
        let open: Vec<u64> = places
            .filter(|(_, task)| task.is_open)
            .map(|(place, _)| place)
            .collect();
        writer.numbers(&open);
        with_checksum(FORMAT_OF_OPEN, &writer.0)
    }
}

fn with_checksum(format: &[u8], body: &[u8]) -> Vec<u8> {
    let checksum = Digest::derive("pipec settled", body);
    [format, &checksum.0, body].concat()
}

/// The checksum and what it is of. None for anything that is not, whole, of this format.
fn checked<'a>(bytes: &'a [u8], format: &[u8]) -> Option<(Digest, &'a [u8])> {
    let (checksum, body) = bytes.strip_prefix(format)?.split_first_chunk::<32>()?;
    let checksum = Digest(*checksum);
    (Digest::derive("pipec settled", body) == checksum).then_some((checksum, body))
}

impl SettledTask {
    fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        let id = reader.text()?;
        let is_cached = reader.number()? != 0;
        let hit = match reader.number()? {
            0 => None,
            _ => Some((
                reader.text()?,
                EntryFacts {
                    run_id: reader.text()?,
                    finished_ms: reader.number()?,
                    duration_ms: reader.number()?,
                    tool: reader.text()?,
                    files: reader.number()?,
                    bytes: reader.number()?,
                    outputs_digest: reader.text()?,
                    // Plain tasks say nothing about themselves.
                    metadata: None,
                },
            )),
        };
        let inputs = reader.set()?;
        let outputs = match reader.number()? {
            0 => None,
            _ => Some(reader.set()?),
        };
        let made = reader.digest()?;
        Some(Self {
            id,
            hit,
            is_cached,
            seen: SeenTask {
                inputs,
                outputs,
                made,
            },
            depends_on: reader.list(Reader::number)?,
            is_open: false,
        })
    }

    fn encode(&self, writer: &mut Writer) {
        writer.text(&self.id);
        writer.number(u64::from(self.is_cached));
        writer.number(u64::from(self.hit.is_some()));
        if let Some((key, facts)) = &self.hit {
            writer.text(key);
            writer.text(&facts.run_id);
            writer.number(facts.finished_ms);
            writer.number(facts.duration_ms);
            writer.text(&facts.tool);
            writer.number(facts.files);
            writer.number(facts.bytes);
            writer.text(&facts.outputs_digest);
        }
        writer.number(u64::from(self.seen.inputs));
        writer.number(u64::from(self.seen.outputs.is_some()));
        if let Some(outputs) = self.seen.outputs {
            writer.number(u64::from(outputs));
        }
        writer.digest(self.seen.made);
        writer.numbers(&self.depends_on);
    }
}

struct Writer(Vec<u8>);

impl Writer {
    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn numbers(&mut self, numbers: &[u64]) {
        self.number(numbers.len() as u64);
        for number in numbers {
            self.number(*number);
        }
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
    }

    fn digest(&mut self, digest: Digest) {
        self.0.extend_from_slice(&digest.0);
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk::<8>()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    fn text(&mut self) -> Option<String> {
        let length = usize::try_from(self.number()?).ok()?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(std::str::from_utf8(text).ok()?.to_owned())
    }

    fn set(&mut self) -> Option<SetId> {
        SetId::try_from(self.number()?).ok()
    }

    fn digest(&mut self) -> Option<Digest> {
        let (digest, rest) = self.0.split_first_chunk::<32>()?;
        self.0 = rest;
        Some(Digest(*digest))
    }

    /// Every item takes bytes: a length that lies ends with them.
    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        for _ in 0..self.number()? {
            items.push(item(self)?);
        }
        Some(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled() -> Settled {
        let facts = EntryFacts {
            run_id: "r".into(),
            finished_ms: 5,
            duration_ms: 6,
            tool: "0.1.0".into(),
            files: 7,
            bytes: 8,
            outputs_digest: "ab".into(),
            metadata: None,
        };
        let digest = |number| Digest([number; 32]);
        Settled {
            pipeline: "p".into(),
            ir_digest: "i".into(),
            warnings: 2,
            targets: vec!["all".into()],
            params: [("mode".into(), "fast".into())].into(),
            limit_ms: 10,
            tasks: vec![
                SettledTask {
                    id: "build".into(),
                    hit: Some(("key".into(), facts)),
                    is_cached: true,
                    seen: SeenTask {
                        inputs: 3,
                        outputs: Some(4),
                        made: digest(6),
                    },
                    depends_on: vec![],
                    is_open: false,
                },
                SettledTask {
                    id: "all".into(),
                    hit: None,
                    is_cached: false,
                    seen: SeenTask {
                        inputs: 5,
                        outputs: None,
                        made: digest(7),
                    },
                    depends_on: vec![0],
                    is_open: false,
                },
            ],
            is_divisible: true,
            standing: Standing {
                plan: digest(1),
                generation: digest(2),
            },
            successes: digest(3),
            variables: vec!["CI".into(), "NODE_*".into()],
            values: digest(4),
            ends_ms: 9,
            checksum: Digest([0; 32]),
        }
    }

    #[test]
    fn what_was_kept_is_recalled() {
        let recalled = Settled::decode(&settled().encode()).unwrap();
        let checksum = recalled.checksum;
        assert_eq!(
            recalled,
            Settled {
                checksum,
                ..settled()
            }
        );
    }

    #[test]
    fn open_tasks_are_those_of_this_plan() {
        let recall = || Settled::decode(&settled().encode()).unwrap();
        let mut later = recall();
        later.tasks[1].is_open = true;
        later.successes = Digest([9; 32]);
        let bytes = later.encode_open();
        let mut recalled = recall();
        assert_eq!(recalled.decode_open(&bytes), Some(()));
        assert_eq!(recalled, later);
        for at in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[at] ^= 1;
            for bytes in [&broken[..], &bytes[..at]] {
                let mut recalled = recall();
                assert_eq!(recalled.decode_open(bytes), None);
                assert_eq!(recalled, recall());
            }
        }
        let other = Settled {
            warnings: 3,
            ..settled()
        };
        let mut other = Settled::decode(&other.encode()).unwrap();
        assert_eq!(other.decode_open(&bytes), None);
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_nothing_kept() {
        let bytes = settled().encode();
        for length in 0..bytes.len() {
            assert_eq!(Settled::decode(&bytes[..length]), None);
        }
        for at in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[at] ^= 1;
            assert_eq!(Settled::decode(&broken), None, "{at}");
        }
    }
}
