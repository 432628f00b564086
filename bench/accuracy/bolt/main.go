// Writes a bbolt file, the form of Trivy's databases: on standard input a line a value, as {"in": [BUCKET …], "key": KEY, "value": JSON}.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"

	"go.etcd.io/bbolt"
)

type entry struct {
	In    []string        `json:"in"`
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: bolt FILE < ENTRIES")
	}
	if err := write(os.Args[1], os.Stdin); err != nil {
		log.Fatal(err)
	}
}

func write(path string, lines io.Reader) error {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true})
	if err != nil {
		return err
	}
	entries := json.NewDecoder(bufio.NewReader(lines))
	err = db.Update(func(tx *bbolt.Tx) error {
		for {
			var one entry
			if err := entries.Decode(&one); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
			if err := put(tx, one); err != nil {
				return err
			}
		}
	})
	return errors.Join(err, db.Close())
}

func put(tx *bbolt.Tx, one entry) error {
	if len(one.In) == 0 {
		return errors.New("an entry is in no bucket")
	}
	bucket, err := tx.CreateBucketIfNotExists([]byte(one.In[0]))
	for _, name := range one.In[1:] {
		if err != nil {
			return err
		}
		bucket, err = bucket.CreateBucketIfNotExists([]byte(name))
	}
	if err != nil {
		return err
	}
	return bucket.Put([]byte(one.Key), one.Value)
}
