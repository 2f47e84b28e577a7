//! Forms that are made to be large in hidden places; and that forms read as `multer` alone reads
//! them.

use proptest::prelude::*;

use super::*;

const KIND: &str = "multipart/form-data; boundary=XX";

/// Name, file name and content; `None` for a content that was too long.
type Read = (String, Option<String>, Option<Vec<u8>>);

fn kind() -> ContentType {
    KIND.parse().unwrap()
}

/// Bytes that come a few at a time.
fn dripping(bytes: Vec<u8>, at_once: usize) -> impl AsyncRead + Unpin + Send {
    let pieces: Vec<_> = bytes
        .chunks(at_once)
        .map(|piece| Ok::<_, io::Error>(Bytes::copy_from_slice(piece)))
        .collect();
    StreamReader::new(stream::iter(pieces))
}

async fn read(body: Vec<u8>, at_once: usize, max_bytes: u64) -> Result<Vec<Read>, u16> {
    let from = dripping(body, at_once);
    let stall = Duration::from_secs(5);
    let mut form = FileForm::open(Some(&kind()), from, stall).map_err(status)?;
    let mut all = Vec::new();
    while let Some(part) = form.next(max_bytes).await.map_err(status)? {
        all.push(match part {
            Part::Field { name, value } => (name, None, Some(value.as_bytes().to_vec())),
            Part::File { filename, content } => {
                (String::new(), Some(filename), content.ok().map(Into::into))
            }
        });
    }
    Ok(all)
}

fn status(problem: Problem) -> u16 {
    problem.status().code
}

/// The same form as `multer` by itself reads it.
async fn reference(body: Vec<u8>) -> Option<Vec<Read>> {
    let whole = stream::iter([Ok::<_, Infallible>(Bytes::from(body))]);
    let mut form = Multipart::new(whole, "XX");
    let mut all = Vec::new();
    while let Some(field) = form.next_field().await.ok()? {
        let name = field.name().unwrap_or_default().to_owned();
        let filename = field.file_name().map(str::to_owned);
        let name = if filename.is_some() {
            String::new()
        } else {
            name
        };
        all.push((name, filename, Some(field.bytes().await.ok()?.to_vec())));
    }
    Some(all)
}

fn part(head: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("--XX\r\nContent-Disposition: form-data; {head}\r\n\r\n");
    [head.as_bytes(), content, b"\r\n"].concat()
}

fn form(parts: &[Vec<u8>]) -> Vec<u8> {
    [&parts.concat()[..], b"--XX--\r\n"].concat()
}

fn file(content: &[u8]) -> Vec<u8> {
    part("name=\"file\"; filename=\"a.jpg\"", content)
}

/// Reads a form that is too large, a few bytes at a time and all at once.
async fn refused(body: Vec<u8>) -> [u16; 2] {
    let dripped = read(body.clone(), 1_000, 1 << 20).await;
    let at_once = read(body, usize::MAX, 1 << 20).await;
    [dripped.unwrap_err(), at_once.unwrap_err()]
}

#[tokio::test]
async fn what_has_no_end_is_refused_as_soon_as_it_is_too_long() {
    let long = vec![b'x'; 100 << 10];
    let head = [
        b"--XX\r\nContent-Disposition: form-data; name=\"",
        &long[..],
    ]
    .concat();
    let padding = [b"--XX", &vec![b' '; 100 << 10][..]].concat();
    for body in [long, head, padding] {
        assert_eq!(refused(body).await, [413; 2]);
    }
}

#[tokio::test]
async fn names_have_a_longest_length() {
    let file = |len| {
        form(&[part(
            &format!("name=f; filename=\"{}\"", "n".repeat(len)),
            b"",
        )])
    };
    assert_eq!(refused(file(9 << 10)).await, [413; 2]);
    let [(_, name, _)] = &read(file(7 << 10), 7, 9).await.unwrap()[..] else {
        panic!("one file");
    };
    assert_eq!(name.as_ref().unwrap().len(), 7 << 10);
    let field = form(&[part(&format!("name=\"{}\"", "n".repeat(1_025)), b"")]);
    assert_eq!(refused(field).await, [413; 2]);
}

#[tokio::test]
async fn there_are_so_many_files_and_fields_and_no_more() {
    let files = |count| form(&vec![file(b""); count]);
    assert_eq!(
        read(files(MAX_FILES), 1 << 20, 9).await.unwrap().len(),
        MAX_FILES
    );
    assert_eq!(refused(files(MAX_FILES + 1)).await, [413; 2]);
    let fields = |count, content: &[u8]| form(&vec![part("name=a", content); count]);
    assert_eq!(read(fields(100, b""), 1 << 20, 9).await.unwrap().len(), 100);
    assert_eq!(refused(fields(101, b"")).await, [413; 2]);
    assert_eq!(refused(fields(1, &[b'a'; (16 << 10) + 1])).await, [413; 2]);
    assert_eq!(refused(fields(5, &[b'a'; 16 << 10])).await, [413; 2]);
}

#[tokio::test]
async fn a_boundary_has_a_length() {
    for (boundary, expected) in [(70, None), (71, Some(400)), (0, Some(400))] {
        let kind = ContentType::new("multipart", "form-data");
        let kind = kind.with_params(("boundary", "x".repeat(boundary)));
        let opened = FileForm::open(Some(&kind), &b""[..], Duration::MAX);
        assert_eq!(opened.err().map(status), expected, "{boundary}");
    }
}

#[tokio::test]
async fn a_file_that_is_too_long_spoils_no_other() {
    let body = form(&[file(&[1; 999]), file(&[2; 1_000]), file(&[3; 5])]);
    let lengths: Vec<_> = read(body, 100, 999).await.unwrap();
    let lengths: Vec<_> = lengths
        .iter()
        .map(|(_, _, c)| c.as_ref().map(Vec::len))
        .collect();
    assert_eq!(lengths, [Some(999), None, Some(5)]);
}

#[tokio::test]
async fn a_form_that_breaks_off_is_400_wherever_it_does() {
    let whole = form(&[part("name=a", b"b"), file(b"content")]);
    for len in 0..whole.len() - 4 {
        assert_eq!(read(whole[..len].to_vec(), 3, 99).await, Err(400), "{len}");
    }
}

#[tokio::test]
async fn the_first_file_comes_as_it_is_sent() {
    let content = vec![b'\r'; 100_000];
    let body = form(&[
        part("name=csrf_token", b"proof"),
        file(&content),
        file(b"more"),
    ]);
    let stall = Duration::from_secs(5);
    let form =
        FileForm::open(Some(&kind()), dripping(body, 700), stall).unwrap_or_else(|_| panic!());
    let (token, mut zip) = form
        .up_to_file("csrf_token")
        .await
        .unwrap_or_else(|_| panic!());
    assert_eq!(token.unwrap().as_str(), "proof");
    let mut came = Vec::new();
    zip.read_to_end(&mut came).await.unwrap();
    assert_eq!(came, content);
}

/// Pieces of boundaries and heads among others, so that some come where they do not belong.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let words: [&[u8]; 9] = [
        b"\r\n",
        b"\r",
        b"--XX",
        b"\r\n--X",
        b"--",
        b"Content-Disposition: form-data; name=\"a\"; filename=\"b\"",
        b"\r\n\r\n",
        b"some words",
        b"\0\xff",
    ];
    let word = prop::sample::select(words.to_vec());
    prop::collection::vec(word, 0..12).prop_map(|words| words.concat())
}

proptest! {
    /// Fed by hand, the parser finds what it finds by itself, however the bytes come.
    #[test]
    fn a_form_reads_the_same_however_it_comes(
        parts in prop::collection::vec((any::<bool>(), text()), 0..6),
        before in text(),
        at_once in 1_usize..40_000,
    ) {
        let parts: Vec<_> = parts
            .iter()
            .map(|(is_file, content)| match is_file {
                true => file(content),
                false => part("name=\"a b\"", content),
            })
            .collect();
        let body = [before, form(&parts)].concat();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let expected = reference(body.clone()).await;
            let expected = expected.map(|parts| parts.into_iter().map(lossy).collect::<Vec<_>>());
            let found = read(body, at_once, 1 << 20).await;
            prop_assert_eq!(found.ok(), expected);
            Ok(())
        })?;
    }
}

/// Text fields are read as text.
fn lossy((name, filename, content): Read) -> Read {
    let text = |bytes: Vec<u8>| match filename {
        None => String::from_utf8_lossy(&bytes).into_owned().into_bytes(),
        Some(_) => bytes,
    };
    let content = content.map(text);
    (name, filename, content)
}
