//! Reads stored files of a MongoDB in two ways that stand below ours: for `scripts/bench`, no part of
//! the product.
//!
//! `gridfs <mongodb://…> driver|raw` reads every file of the bucket `blobs` that is larger than a MiB,
//! one after the other: by the driver's own download stream, or by one `find` on its chunks, sorted,
//! as raw documents. Prints bytes and seconds.

use std::error::Error;
use std::time::Instant;

use futures_util::{AsyncReadExt, TryStreamExt};
use mongodb::Client;
use mongodb::bson::{Bson, Document, RawDocumentBuf, doc};
use mongodb::options::GridFsBucketOptions;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let [uri, way] = given.as_slice() else {
        return Err("usage: gridfs <mongodb://…> driver|raw".into());
    };
    let client = Client::with_uri_str(uri).await?;
    let database = client.default_database().ok_or("name a database")?;
    let files = database.collection::<Document>("blobs.files");
    let large = files.find(doc! { "length": { "$gt": 1 << 20 } }).await?;
    let ids: Vec<Bson> = large
        .try_filter_map(async |file| Ok(file.get("_id").cloned()))
        .try_collect()
        .await?;
    let (begun, mut bytes) = (Instant::now(), 0);
    match way.as_str() {
        "driver" => {
            let options = GridFsBucketOptions::builder().bucket_name("blobs".to_owned());
            let bucket = database.gridfs_bucket(options.build());
            let mut piece = vec![0; 1 << 20];
            for id in ids {
                let mut stream = bucket.open_download_stream(id).await?;
                loop {
                    match stream.read(&mut piece).await? {
                        0 => break,
                        read => bytes += read,
                    }
                }
            }
        }
        "raw" => {
            let chunks = database.collection::<RawDocumentBuf>("blobs.chunks");
            for id in ids {
                let of_file = chunks.find(doc! { "files_id": id }).sort(doc! { "n": 1 });
                let mut found = of_file.await?;
                while found.advance().await? {
                    bytes += found.current().get_binary("data")?.bytes.len();
                }
            }
        }
        other => return Err(format!("no such way: {other}").into()),
    }
    println!("{bytes} {}", begun.elapsed().as_secs_f64());
    Ok(())
}
